"""A whole call in virtual time: a server's side and a simulated caller, back to back, with a line between them."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from offhook.simulator import world
from offhook.simulator.caller import Script, SimulatedCaller
from offhook.simulator.line import Line
from offhook.simulator.phone import Wire
from offhook.simulator.report import CallReport

GRACE = 5.0
"""Seconds that the server's side is given, after the call, to see its end and finish its work."""


class Server(Protocol):
    """The server's side of one stream: what `runtime.driver.Driver` is."""

    def on_text(self, text: str) -> None: ...

    def on_closed(self, reason: str) -> None: ...

    async def finish(self) -> None: ...


MakeServer = Callable[[Callable[[str], None], Callable[[], None]], Server]
"""Makes the server's side, given how it sends a text frame and how it closes the socket."""


async def converse(
    make_server: MakeServer,
    script: Script,
    line: Line | None = None,
    parameters: Mapping[str, str] | None = None,
    frame: int = 160,
) -> CallReport:
    """One call from ring to goodbye, in whatever event loop runs this. Nothing of either side is left afterwards."""
    socket = _Socket(asyncio.get_running_loop())
    caller = SimulatedCaller(Wire(socket.to_server, socket.closed_by_caller), line, frame=frame)
    socket.caller = caller
    socket.server = make_server(caller.on_text, socket.closed_by_server)
    result = await caller.run(script, parameters)
    async with asyncio.timeout(GRACE):
        await socket.closed.wait()
        await socket.server.finish()
    return result


def simulate(
    make_server: MakeServer,
    script: Script,
    line: Line | None = None,
    parameters: Mapping[str, str] | None = None,
    frame: int = 160,
    limit: float = 3600.0,
) -> CallReport:
    """`converse` in a world of its own, for at most `limit` seconds of its time."""
    return world.run(converse(make_server, script, line, parameters, frame), limit=limit)


class _Socket:
    """The socket between the two: what it delivers after one side has closed it is lost."""

    caller: SimulatedCaller
    server: Server

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.closed = asyncio.Event()
        self._loop = loop

    def to_server(self, text: str) -> None:
        if not self.closed.is_set():
            self.server.on_text(text)

    def closed_by_caller(self) -> None:
        if not self.closed.is_set():
            self.closed.set()
            self.server.on_closed("the carrier closed the socket")

    def closed_by_server(self) -> None:
        """The server may still be in the middle of a step, so it is told afterwards."""
        if not self.closed.is_set():
            self.closed.set()
            self._loop.call_soon(self.server.on_closed, "we closed the socket")
            self.caller.on_closed()
