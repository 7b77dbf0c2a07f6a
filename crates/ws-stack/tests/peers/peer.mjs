// A peer by node's ws: `node peer.mjs PACKAGES client|server [TLS]`.
//
// PACKAGES is where ws is installed; TLS is a directory with cert.pem and key.pem. One job is one connection: a line of
// JSON on stdin with the steps to take. What is seen goes to stdout, a line of JSON each; "end" is the last of a job.

import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [packages, role, tls] = process.argv.slice(2);
const { WebSocket, WebSocketServer } = createRequire(join(packages, 'peer.mjs'))('ws');
const report = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const pem = (name) => readFileSync(join(tls, name));

// Long payloads repeat a unit whose length has no factor in common with any buffer's, or whose characters have one to
// four bytes.
const BINARY_UNIT = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const TEXT_UNIT = Buffer.from('aß水𝄞é水b');
const long = (isBinary, length) => Buffer.alloc(length, isBinary ? BINARY_UNIT : TEXT_UNIT);

// What cannot be compressed is the high bytes of a linear congruential generator.
function noise(length) {
  const bytes = Buffer.alloc(length);
  for (let at = 0, state = 1; at < length; at += 1) {
    bytes[at] = state >>> 24;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  }
  return bytes;
}

function payload(data) {
  const [[form, value]] = Object.entries(data);
  switch (form) {
    case 'text': return { bytes: Buffer.from(value), isBinary: false };
    case 'binary': return { bytes: Buffer.from(value, 'hex'), isBinary: true };
    case 'long text': return { bytes: long(false, value), isBinary: false };
    case 'long binary': return { bytes: long(true, value), isBinary: true };
    case 'noise': return { bytes: noise(value), isBinary: true };
    default: throw new Error(`no such payload: ${form}`);
  }
}

function describe(bytes, isBinary) {
  if (bytes.length < 1024) return isBinary ? `binary ${bytes.toString('hex')}` : `text ${bytes}`;
  return `${form(bytes, isBinary)} ${isBinary ? 'binary' : 'text'} ${bytes.length}`;
}

function form(bytes, isBinary) {
  if (bytes.equals(long(isBinary, bytes.length))) return 'long';
  return isBinary && bytes.equals(noise(bytes.length)) ? 'noisy' : 'broken';
}

/** One connection: what it has seen, and the steps it takes. */
class Play {
  constructor(ws) {
    this.ws = ws;
    this.seen = { message: [], ping: [], pong: [] };
    this.changed = new EventEmitter();
    ws.on('message', (data, isBinary) => this.saw('message', describe(data, isBinary), { data, isBinary }));
    ws.on('ping', (data) => this.saw('ping', `ping ${data}`));
    ws.on('pong', (data) => this.saw('pong', `pong ${data}`));
    ws.on('error', (error) => report({ error: error.message }));
    this.closed = once(ws, 'close').then(([code, reason]) => {
      if (!this.terminated) report({ saw: `closed ${code} ${reason}` });
    });
  }

  saw(kind, line, what) {
    report({ saw: line });
    this.seen[kind].push(what);
    this.changed.emit('seen');
  }

  /** The next of what has been seen of this kind. */
  async next(kind) {
    while (this.seen[kind].length === 0) await once(this.changed, 'seen');
    return this.seen[kind].shift();
  }

  send(bytes, options) {
    this.sent = new Promise((resolve) => { this.ws.send(bytes, options, resolve); });
  }

  async take([verb, ...rest]) {
    const { ws } = this;
    switch (verb) {
      case 'send': {
        const { bytes, isBinary } = payload(rest[0]);
        return this.send(bytes, { binary: isBinary, compress: rest[1] ?? true });
      }
      case 'fragments': {
        const { bytes, isBinary } = payload(rest[0]);
        const size = rest[1];
        for (let at = 0; at < bytes.length; at += size) {
          this.send(bytes.subarray(at, at + size), { binary: isBinary, fin: at + size >= bytes.length });
        }
        return undefined;
      }
      case 'part': {
        const { bytes, isBinary } = payload(rest[0]);
        return this.send(bytes, { binary: isBinary, fin: rest[1] });
      }
      case 'ping': return ws.ping(rest[0]);
      case 'pong': return ws.pong(rest[0]);
      case 'await': return this.next(rest[0]);
      case 'echo': {
        for (let left = rest[0]; left > 0; left -= 1) {
          const { data, isBinary } = await this.next('message');
          this.send(data, { binary: isBinary });
        }
        return undefined;
      }
      case 'exchange':
        for (let left = rest[1]; left > 0; left -= 1) await this.take(['send', rest[0]]);
        for (let left = rest[1]; left > 0; left -= 1) await this.next('message');
        return undefined;
      case 'close': return ws.close(...rest);
      case 'terminate':
        this.terminated = true;
        return ws.terminate();
      case 'raw': {
        const [first, hex] = rest;
        const bytes = Buffer.from(hex, 'hex');
        // A client masks; a key of zeros leaves the payload as it is.
        const head = role === 'client' ? [first, 0x80 | bytes.length, 0, 0, 0, 0] : [first, bytes.length];
        await this.sent; // what is being compressed comes before it
        return ws._socket.write(Buffer.concat([Buffer.from(head), bytes]));
      }
      default: throw new Error(`no such step: ${verb}`);
    }
  }

  async run(steps) {
    const taken = (async () => {
      for (const step of steps) await this.take(step);
    })();
    await Promise.race([this.closed, taken]); // a step that fails ends the process
    await this.closed;
  }
}

/** What a job asks of compression, by the names of the options. */
function perMessageDeflate({ deflate }) {
  const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(deflate ?? {}).map(([name, value]) => [camel(name), value]));
}

const opened = (ws, extra) =>
  report({ opened: { subprotocol: ws.protocol, extensions: ws.extensions, ...extra } });

async function runClient(jobs) {
  for await (const line of jobs) {
    const job = JSON.parse(line);
    const { origin, headers } = job;
    const options = { origin, headers, perMessageDeflate: perMessageDeflate(job), ca: tls && pem('cert.pem') };
    const ws = new WebSocket(job.url, job.subprotocols ?? [], options);
    const play = new Play(ws);
    const ended = deferred();
    ws.on('upgrade', (response) => { ws.answer = response.headers; });
    ws.on('unexpected-response', (request, response) => {
      report({ refused: { status: response.statusCode, headers: response.headers } });
      request.destroy();
      ended.resolve();
    });
    ws.on('open', () => {
      opened(ws, { headers: ws.answer });
      play.run(job.steps).then(ended.resolve, ended.reject);
    });
    await Promise.race([ended.promise, play.closed]);
    report('end');
  }
}

async function runServer(jobs) {
  let job;
  let end;
  const server = tls ? createHttpsServer({ cert: pem('cert.pem'), key: pem('key.pem') }) : createHttpServer();
  const webSockets = new WebSocketServer({
    server,
    perMessageDeflate: true,
    handleProtocols: () => job.choose ?? false,
    verifyClient: (_, verified) => {
      const { status, headers } = job.refuse ?? {};
      if (status) end();
      verified(status === undefined, status, 'not today', headers);
    },
  });
  webSockets.on('headers', (headers) => {
    for (const [name, value] of Object.entries(job.headers ?? {})) headers.push(`${name}: ${value}`);
  });
  webSockets.on('connection', (ws, { url, headers }) => {
    const play = new Play(ws);
    opened(ws, { path: url, headers });
    play.run(job.steps).then(end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  report({ port: server.address().port });
  for await (const line of jobs) {
    job = JSON.parse(line);
    webSockets.options.perMessageDeflate = perMessageDeflate(job);
    const ended = deferred();
    end = ended.resolve;
    report('ready');
    await ended.promise;
    report('end');
  }
  process.exit();
}

function deferred() {
  const it = {};
  it.promise = new Promise((resolve, reject) => Object.assign(it, { resolve, reject }));
  return it;
}

await (role === 'client' ? runClient : runServer)(createInterface({ input: process.stdin }));
