// ws on node, with bufferutil, its optional native masking: an echo, or with the word broadcast behind the port a broadcast to
// all but the sender. Validation is on. Compression is off, as by default, or on for all messages with the word ct or nct: with
// kept contexts, and without.
import { WebSocket, WebSocketServer } from 'ws';

const port = Number(process.argv[2]);
const words = process.argv.slice(3);
const resets = words.includes('nct');
const perMessageDeflate = (resets || words.includes('ct')) && {
  threshold: 0,
  serverNoContextTakeover: resets,
  clientNoContextTakeover: resets
};
const server = new WebSocketServer({ perMessageDeflate, host: '127.0.0.1', port, backlog: 4096 });

function echo(socket, data, binary) {
  socket.send(data, { binary });
}

function broadcast(socket, data, binary) {
  for (const client of server.clients) {
    if (client !== socket && client.readyState === WebSocket.OPEN) client.send(data, { binary });
  }
}

const answer = words.includes('broadcast') ? broadcast : echo;
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => answer(socket, data, isBinary));
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${port}`));
