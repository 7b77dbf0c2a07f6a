"""A peer by Python's websockets: `python peer.py client|server [TLS]`.

TLS is a directory with cert.pem and key.pem. One job is one connection: a line of JSON on stdin with the steps to take.
What is seen goes to stdout, a line of JSON each; "end" is the last of a job.
"""

import asyncio
import json
import ssl
import sys
from functools import cache

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.extensions import ServerExtensionFactory
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
    enable_client_permessage_deflate,
    enable_server_permessage_deflate,
)
from websockets.frames import Frame, Opcode

ROLE = sys.argv[1]
TLS = sys.argv[2] if len(sys.argv) > 2 else None

# Long payloads repeat a unit whose length has no factor in common with any buffer's, or whose characters have one to
# four bytes.
BINARY_UNIT = bytes(range(251))
TEXT_UNIT = "aß水𝄞é水b".encode()

LIMITS = {"max_size": None, "ping_interval": None}


def report(line):
    print(json.dumps(line), flush=True)


def long(is_binary, length):
    unit = BINARY_UNIT if is_binary else TEXT_UNIT
    return (unit * (length // len(unit) + 1))[:length]


@cache
def noise(length):
    """What cannot be compressed: the high bytes of a linear congruential generator."""
    out, state = bytearray(length), 1
    for at in range(length):
        out[at] = state >> 24
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
    return bytes(out)


def payload(data):
    ((form, value),) = data.items()
    match form:
        case "text":
            return value.encode(), False
        case "binary":
            return bytes.fromhex(value), True
        case "long text":
            return long(False, value), False
        case "long binary":
            return long(True, value), True
        case "noise":
            return noise(value), True
    raise ValueError(f"no such payload: {form}")


def describe(data, is_binary):
    if len(data) < 1024:
        return f"binary {data.hex()}" if is_binary else f"text {data.decode()}"
    if data == long(is_binary, len(data)):
        form = "long"
    else:
        form = "noisy" if is_binary and data == noise(len(data)) else "broken"
    return f"{form} {'binary' if is_binary else 'text'} {len(data)}"


class Play:
    """One connection: what it has seen, and the steps it takes. Sees every frame in the order of arrival."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.arrived = {kind: asyncio.Queue() for kind in ("message", "ping", "pong")}
        self.parts = []
        self.is_binary = False
        self.is_mid_message = False
        self.terminated = False

    def process_event(self, event):
        if not isinstance(event, Frame):
            return super().process_event(event)
        match event.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self.is_binary = event.opcode is Opcode.BINARY
                self.parts = [bytes(event.data)]
            case Opcode.CONT:
                self.parts.append(bytes(event.data))
            case Opcode.PING:
                return self.saw("ping", f"ping {bytes(event.data).decode()}")
            case Opcode.PONG:
                self.saw("pong", f"pong {bytes(event.data).decode()}")
                return super().process_event(event)
        if event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT) and event.fin:
            data = b"".join(self.parts)
            self.saw("message", describe(data, self.is_binary), (data, self.is_binary))

    def saw(self, kind, line, what=None):
        report({"saw": line})
        self.arrived[kind].put_nowait(what)

    async def part(self, data, is_binary, fin):
        async with self.send_context():
            if self.is_mid_message:
                self.protocol.send_continuation(data, fin)
            elif is_binary:
                self.protocol.send_binary(data, fin)
            else:
                self.protocol.send_text(data, fin)
            self.is_mid_message = not fin

    async def take(self, verb, *rest):
        match verb:
            case "send":
                data, is_binary = payload(rest[0])
                await self.send(data, text=not is_binary)
            case "fragments":
                (data, is_binary), size = payload(rest[0]), rest[1]
                for at in range(0, len(data), size):
                    await self.part(data[at : at + size], is_binary, at + size >= len(data))
            case "part":
                await self.part(*payload(rest[0]), rest[1])
            case "ping":
                await self.ping(rest[0])
            case "pong":
                await self.pong(rest[0])
            case "await":
                await self.arrived[rest[0]].get()
            case "echo":
                for _ in range(rest[0]):
                    data, is_binary = await self.arrived["message"].get()
                    await self.send(data, text=not is_binary)
            case "exchange":
                for _ in range(rest[1]):
                    await self.take("send", rest[0])
                for _ in range(rest[1]):
                    await self.arrived["message"].get()
            case "close" if rest:
                await self.close(*rest)
            case "close":
                async with self.send_context():
                    self.protocol.send_close()
            case "terminate":
                self.terminated = True
                self.transport.abort()
            case "raw":
                first, data = rest[0], bytes.fromhex(rest[1])
                # A client masks; a key of zeros leaves the payload as it is.
                masked = ROLE == "client"
                head = bytes([first, (0x80 if masked else 0) | len(data)]) + bytes(4 if masked else 0)
                self.transport.write(head + data)
            case _:
                raise ValueError(f"no such step: {verb}")

    async def take_all(self, steps):
        try:
            for step in steps:
                await self.take(*step)
        except ConnectionClosed as error:
            report({"error": str(error)})

    async def run(self, steps):
        taking = asyncio.create_task(self.take_all(steps))
        closed = asyncio.create_task(self.wait_closed())
        await asyncio.wait([taking, closed], return_when=asyncio.FIRST_COMPLETED)
        if taking.done():
            taking.result()  # a step that fails ends the process
        await closed
        taking.cancel()
        if not self.terminated:
            report({"saw": f"closed {self.close_code} {self.close_reason}"})


class Answering(ServerExtensionFactory):
    """Answers an offer of compression as the job says."""

    name = ServerPerMessageDeflateFactory.name
    factory = None

    def process_request_params(self, params, accepted_extensions):
        return self.factory.process_request_params(params, accepted_extensions)


def deflate(job, factory, default):
    if (options := job.get("deflate")) is None:
        return default(None)[0]
    # What is off is none where it could have a number.
    return factory(**{name: value or None for name, value in options.items()})


class Client(Play, ClientConnection):
    pass


class Server(Play, ServerConnection):
    pass


def lower(headers):
    return {name.lower(): value for name, value in headers.raw_items()}


def opened(ws, headers, **extra):
    names = ", ".join(extension.name for extension in ws.protocol.extensions)
    line = {"subprotocol": ws.subprotocol or "", "extensions": names, "headers": lower(headers)}
    report({"opened": line | extra})


async def lines():
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield json.loads(line)


def client_tls():
    context = ssl.create_default_context(cafile=f"{TLS}/cert.pem")
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # which wants extensions that a self-signed certificate need not have
    return context


def server_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{TLS}/cert.pem", f"{TLS}/key.pem")
    return context


async def run_client():
    async for job in lines():
        options = {
            "subprotocols": job.get("subprotocols"),
            "origin": job.get("origin"),
            "extensions": [deflate(job, ClientPerMessageDeflateFactory, enable_client_permessage_deflate)],
            "additional_headers": job.get("headers"),
            "create_connection": Client,
            "proxy": None,
            "ssl": client_tls() if TLS else None,
        }
        try:
            ws = await connect(job["url"], **options, **LIMITS)
        except InvalidStatus as error:
            response = error.response
            report({"refused": {"status": response.status_code, "headers": lower(response.headers)}})
        else:
            opened(ws, ws.response.headers)
            await ws.run(job["steps"])
        report("end")


async def run_server():
    job, ended, answering = {}, asyncio.Event(), Answering()

    def process_request(ws, _request):
        if refuse := job.get("refuse"):
            response = ws.respond(refuse["status"], "not today\n")
            for name, value in refuse.get("headers", {}).items():
                response.headers[name] = value
            ended.set()
            return response

    def process_response(_ws, _request, response):
        for name, value in job.get("headers", {}).items():
            response.headers[name] = value

    async def handler(ws):
        opened(ws, ws.request.headers, path=ws.request.path)
        await ws.run(job["steps"])
        ended.set()

    async with serve(
        handler,
        "127.0.0.1",
        0,
        create_connection=Server,
        process_request=process_request,
        process_response=process_response,
        extensions=[answering],
        compression=None,
        select_subprotocol=lambda _ws, _requested: job.get("choose"),
        ssl=server_tls() if TLS else None,
        **LIMITS,
    ) as server:
        report({"port": server.sockets[0].getsockname()[1]})
        async for line in lines():
            job = line
            answering.factory = deflate(
                job, ServerPerMessageDeflateFactory, enable_server_permessage_deflate
            )
            ended.clear()
            report("ready")
            await ended.wait()
            report("end")


asyncio.run(run_client() if ROLE == "client" else run_server())
