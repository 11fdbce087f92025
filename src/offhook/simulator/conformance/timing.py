"""Stopwatches for the checks. What else the machine does is not the provider's fault: the best of some tries counts."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from offhook.simulator.clock import LoopClock

PROMPT = 0.05
"""Seconds within which a request that is cancelled or closed is over, and known to be over on the other side."""
TRIES = 3
_STEP = 0.001


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._clock = LoopClock()

    def __call__(self) -> float:
        return self._clock() / 1_000_000


async def until(holds: Callable[[], bool], limit: float) -> bool:
    """Wait for something that nobody announces; whether it came to hold within `limit` seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while not holds():  # noqa: ASYNC110 - the other side's state
                await asyncio.sleep(_STEP)
    return holds()


async def best(measure: Callable[[], Awaitable[float]], limit: float) -> float:
    """The first measurement below `limit`, or the best of `TRIES`."""
    found: list[float] = []
    while len(found) < TRIES and not (found and found[-1] < limit):
        found.append(await measure())
    return min(found)
