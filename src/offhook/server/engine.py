"""The seam between the doors and what runs a call, so that the doors know neither providers nor hearing."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from offhook.agent import Agent
from offhook.call.inputs import Order
from offhook.call.outputs import Report
from offhook.carrier.stream import CarrierStream
from offhook.timebase import Instant


class CallDriver(Protocol):
    """Runs one call. `offhook.runtime.driver.Driver` is one."""

    ended: asyncio.Event

    def on_text(self, text: str) -> None:
        """A text frame came. Never raises."""
        ...

    def on_binary(self, size: int) -> None: ...

    def on_closed(self, reason: str) -> None:
        """The socket is gone, or has to be taken for gone. Idempotent."""
        ...

    def order(self, order: Order) -> None: ...

    async def finish(self) -> None:
        """Cancel what is left of the call's work and wait for it, for a bounded time. Idempotent."""
        ...


class Engine(Protocol):
    """Makes drivers. One serves all calls of a server."""

    async def prepare(self, agent: Agent) -> None:
        """Make ready what an agent needs; at once if it is. Raises OffhookError."""
        ...

    def connect(
        self,
        agent: Agent,
        *,
        call_id: str,
        stream: CarrierStream,
        send: Callable[[str], None],
        close: Callable[[], None],
        report: Callable[[Instant, Report], None],
    ) -> CallDriver:
        """Begin a call of a prepared agent. `send` and `close` never block; frames are sent in order and `close` comes
        after them."""
        ...

    async def aclose(self) -> None: ...
