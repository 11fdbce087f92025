"""What receiving a message costs: our door beside Starlette's, uvicorn's and picows's, all in the same run.

`python benchmarks/door.py`. Each server is a process of its own and says by `getrusage` what CPU time it used while
one more process sent it Twilio's `media` messages: 50 a second on each of some connections, as calls do, and then as
many as it takes. All of them turn the message into text and nothing more, except those named "whole". picows is
measured where it is installed (`pip install picows`); the others' cost is also given as a multiple of its echo.
"""

import argparse
import asyncio
import base64
import multiprocessing
import os
import resource
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any, cast

from offhook.audio import mulaw
from offhook.carrier.twilio import messages
from offhook.server.direct import EXTENSION, MediaProtocol
from offhook.server.listening import listen
from offhook.simulator.load.websocket import frame

SPAWN = multiprocessing.get_context("spawn")
SLOTS = 20
"""The connections are spread over the milliseconds of a frame, as a carrier's are."""
ROUNDS = 3
"""A figure is the least of so many."""
REQUEST = (
    "GET /twilio/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n\r\n"
).encode()


class Counter:
    """Counts messages; its servers call it with the text of each."""

    def __init__(self) -> None:
        self.count = 0

    def take(self, text: str) -> None:
        self.count += 1


# --- the servers: each listens, says where, and answers each question with CPU seconds and messages so far


def serving(begin: Callable[[Counter, socket.socket], Awaitable[object]], parent: Connection) -> None:
    """The process of one server."""
    import uvloop

    counter = Counter()

    async def serve() -> None:
        listener = listen("127.0.0.1", 0)
        kept = await begin(counter, listener)
        parent.send(listener.getsockname()[1])

        def answer() -> None:
            parent.recv()
            used = resource.getrusage(resource.RUSAGE_SELF)
            parent.send((used.ru_utime + used.ru_stime, counter.count))

        asyncio.get_running_loop().add_reader(parent.fileno(), answer)
        await asyncio.get_running_loop().create_future()
        del kept

    uvloop.run(serve())


async def socket_alone(counter: Counter, listener: socket.socket) -> object:
    """uvloop gives the bytes to a protocol, which drops them: the kernel and the loop."""

    class Drop(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport, self.opened = transport, False

        def data_received(self, data: bytes) -> None:
            if self.opened:
                counter.count += len(data) // SIZE or 1
            else:
                self.opened = True
                self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    return await asyncio.get_running_loop().create_server(Drop, sock=listener)


async def _picows(counter: Counter, listener: socket.socket, *, echo: bool) -> object:
    import picows

    class Listener(picows.WSListener):
        def on_ws_frame(self, transport: Any, given: Any) -> None:
            counter.take(given.get_payload_as_utf8_text())
            if echo:
                transport.send(picows.WSMsgType.TEXT, given.get_payload_as_bytes())

    return await picows.ws_create_server(lambda request: Listener(), sock=listener, use_aiofastnet=False)


async def picows_reading(counter: Counter, listener: socket.socket) -> object:
    return await _picows(counter, listener, echo=False)


async def picows_echo(counter: Counter, listener: socket.socket) -> object:
    return await _picows(counter, listener, echo=True)


async def _uvicorn(app: Any, listener: socket.socket, ws: Any) -> object:
    import uvicorn

    config = uvicorn.Config(
        app, http="httptools", ws=ws, ws_per_message_deflate=False, lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    return asyncio.create_task(server.serve([listener]))


async def starlette(counter: Counter, listener: socket.socket) -> object:
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

    async def read(ws: WebSocket) -> None:
        await ws.accept()
        while True:
            counter.take(await ws.receive_text())

    return await _uvicorn(Starlette(routes=[WebSocketRoute("/twilio/stream", read)]), listener, "websockets-sansio")


async def uvicorn_alone(counter: Counter, listener: socket.socket) -> object:
    async def read(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            counter.take(message["text"])

    return await _uvicorn(read, listener, "websockets-sansio")


async def ours(counter: Counter, listener: socket.socket) -> object:
    async def read(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        scope["extensions"][EXTENSION].direct = counter.take
        while (await receive())["type"] == "websocket.receive":
            pass

    return await _uvicorn(read, listener, MediaProtocol)


async def offhook(counter: Counter, listener: socket.socket) -> object:
    """The whole server, hearing included: calls that only hold the line."""
    from offhook.server.app import asgi_app
    from offhook.server.serving import PhoneServer
    from offhook.settings import Settings
    from offhook.simulator.load import agents

    settings = Settings.load(port=0, max_calls=2_000, max_waiting=2_000, twilio_auth_token="", stream_tokens=False)
    server = PhoneServer(asgi_app(agents.scripted(), settings), settings)
    return asyncio.create_task(server.run_until_stopped(listener))


SERVERS: dict[str, Any] = {
    "socket alone": socket_alone,
    "picows, reading": picows_reading,
    "picows, echo": picows_echo,
    "offhook's door": ours,
    "uvicorn's": uvicorn_alone,
    "Starlette's": starlette,
    "offhook, whole": offhook,
}

# --- the callers and what they send


def medium(stream: str, number: int) -> bytes:
    """A message as Twilio sends it: 20 ms of a quiet line."""
    return frame(1, messages.media(stream, NOISE, sequence=number + 1, chunk=number, timestamp=number * 20).encode())


NOISE = mulaw.SILENCE * 159 + b"\xfe"
SIZE = len(medium("MZ" + "0" * 32, 500))


class MediumProtocol(MediaProtocol):
    """Our door without a connection, after its handshake: takes what `data_received` is given."""

    def __init__(self) -> None:
        self.handshake_complete = self._aligned = True
        self.close_sent = False
        self.queue = asyncio.Queue()
        self.config = cast(Any, SimpleNamespace(ws_max_size=256 * 1024))
        self.direct = Counter().take


def connected(port: int) -> socket.socket:
    """A WebSocket of a caller."""
    caller = socket.create_connection(("127.0.0.1", port), 10)
    caller.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    caller.sendall(REQUEST)
    assert b" 101" in caller.recv(4_096)
    return caller


def calling(port: int, calls: int, whole: bool, parent: Connection) -> None:
    """The process of the callers: says "ready", and then does for so many seconds what it is told."""
    streams = [f"MZ{number:032x}" for number in range(calls)]
    callers = [connected(port) for _ in range(calls)]
    if whole:
        for stream, caller in zip(streams, callers, strict=True):
            caller.sendall(frame(1, messages.connected().encode()))
            caller.sendall(frame(1, messages.start(stream, "CA" + stream[2:], "AC1").encode()))
    for caller in callers:
        caller.setblocking(False)
    parent.send("ready")
    number = 0
    while order := parent.recv():
        seconds, paced = order
        before, ends = number, time.monotonic() + seconds
        number = (_pace if paced else _flood)(callers, streams, number, ends)
        parent.send((number - before) * calls)


def _pace(callers: list[socket.socket], streams: list[str], number: int, ends: float) -> int:
    """Each caller sends each 20 ms; what comes back is thrown away. How many each has sent by now."""
    began, slot = time.monotonic(), 0
    while time.monotonic() < ends:
        number += slot % SLOTS == 0
        for at in range(slot % SLOTS, len(callers), SLOTS):
            _drain(callers[at])
            callers[at].send(medium(streams[at], number))
        slot += 1
        time.sleep(max(0.0, began + slot / 1_000 - time.monotonic()))
    return number


def _flood(callers: list[socket.socket], streams: list[str], number: int, ends: float) -> int:
    """As many as the server takes, two in a piece of TCP."""
    piece = medium(streams[0], 500) * 2
    while time.monotonic() < ends:
        for caller in callers:
            _drain(caller)
            caller.setblocking(True)
            caller.sendall(piece)
            caller.setblocking(False)
    return number


def _drain(caller: socket.socket) -> None:
    with suppress(BlockingIOError):
        caller.recv(65_536)


@contextmanager
def process(work: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    ours_, theirs = SPAWN.Pipe()
    running = SPAWN.Process(target=work, args=(*arguments, theirs), daemon=True)
    running.start()
    try:
        yield ours_
    finally:
        running.kill()
        running.join()


def measured(begin: Any, calls: int, seconds: float) -> tuple[float, float | None]:
    """CPU microseconds per message, paced and flooded. A whole server is not flooded: no line does that."""
    whole = begin is offhook
    with process(serving, begin) as server, process(calling, server.recv(), calls, whole) as callers:
        callers.recv()
        found = []
        for paced in (True, False)[: 1 if whole else 2]:
            callers.send((1.0, paced))  # to warm up
            callers.recv()
            found.append(min(_window(server, callers, seconds, paced) for _ in range(ROUNDS)))
    return found[0], None if whole else found[1]


def _window(server: Connection, callers: Connection, seconds: float, paced: bool) -> float:
    server.send(0)
    cpu, taken = server.recv()
    callers.send((seconds, paced))
    sent = callers.recv()
    server.send(0)
    cpu_after, taken_after = server.recv()
    count: int = taken_after - taken or sent
    return float(cpu_after - cpu) / count * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=2.0)
    asked = parser.parse_args()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    names = [name for name in SERVERS if "picows" not in name or find_spec("picows")]
    found = {name: measured(SERVERS[name], asked.calls, asked.seconds) for name in names}
    echo = found.get("picows, echo", (0.0, 0.0))[0]
    print(f"{asked.calls} calls, CPU us per message\n{'':<20}{'paced':>8}{'flooded':>9}{'x echo':>8}")
    for name, (paced, flooded) in found.items():
        much = "-" if flooded is None else f"{flooded:.1f}"
        print(f"{name:<20}{paced:>8.1f}{much:>9}{f'{paced / echo:.2f}' if echo else '-':>8}")


if __name__ == "__main__":
    main()
