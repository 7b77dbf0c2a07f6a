// ws on node, with bufferutil, its optional native masking. Validation is on. Compression is off, as by default, or
// on for all messages when the second argument is ct or nct: with kept contexts, and without.
import { WebSocketServer } from 'ws';

const port = Number(process.argv[2]);
const takeover = process.argv[3];
const resets = takeover === 'nct';
const perMessageDeflate = takeover !== undefined && {
  threshold: 0,
  serverNoContextTakeover: resets,
  clientNoContextTakeover: resets
};
const server = new WebSocketServer({ perMessageDeflate, host: '127.0.0.1', port, backlog: 4096 });

server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.on('listening', () => console.log(`listening on 127.0.0.1:${port}`));
