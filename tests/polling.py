"""Waiting for what another task, server or process does without telling us."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], object], within: float = 10.0, every: float = 0.002) -> None:
    """Until it is true, which is looked at `every` so many seconds; `TimeoutError` after `within` seconds."""
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(every)
