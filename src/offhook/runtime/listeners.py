"""Tells an agent's handlers what happens in one call: in order, and never in the call's way."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from functools import partial

from offhook.agent.events import Handler, event_type
from offhook.agent.handle import CallHandle
from offhook.agent.tools import called
from offhook.call.outputs import Report

logger = logging.getLogger("offhook.runtime")

DRAIN = 5.0
"""Seconds that handlers may take, after the end of a call, for what they have not been told yet."""


class Listeners:
    """One task of one call, which exists only where somebody listens."""

    def __init__(self, handlers: Mapping[str, Sequence[Handler]], handle: CallHandle) -> None:
        self._handlers = {event_type(name): functions for name, functions in handlers.items() if functions}
        self._handle = handle
        self._task: asyncio.Task[None] | None = None
        if self._handlers:
            self._events = handle.events()
            self._task = asyncio.get_running_loop().create_task(self._listen())

    async def finish(self) -> None:
        """The call is over, and its end has been made known: wait until everybody knows, for a bounded time."""
        if self._task is None:
            return
        _, slow = await asyncio.wait({self._task}, timeout=DRAIN)
        if slow:
            logger.warning("The call is over: handlers that were still busy are stopped")
            self._task.cancel()
            await asyncio.wait(slow, timeout=DRAIN)

    async def _listen(self) -> None:
        async for report in self._events:
            for handler in self._handlers.get(type(report), ()):
                await self._tell(handler, report)

    async def _tell(self, handler: Handler, report: Report) -> None:
        try:
            await called(partial(handler, self._handle, report))
        except Exception:
            logger.exception("The handler %s failed", getattr(handler, "__name__", handler))
