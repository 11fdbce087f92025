"""A call's own time, read from the running event loop, real or virtual."""

import asyncio
from collections.abc import Callable
from typing import Any

from offhook.timebase import Instant


class LoopClock:
    """Instants count from the moment it is made. Timers keep to the instants they were set for and do not drift."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()

    def __call__(self) -> Instant:
        """Now."""
        return Instant(round((self._loop.time() - self._origin) * 1_000_000))

    def at(self, when: Instant, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """Call at an instant; as soon as possible, but never within this call, where it has passed."""
        return self._loop.call_at(self._origin + when / 1_000_000, callback, *args)
