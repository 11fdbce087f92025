"""The one place where a live call's clock is read."""

import time
from collections.abc import Callable

from offhook.timebase import Instant

Clock = Callable[[], Instant]
"""Microseconds since some moment before the call's first input; never goes back."""


def starting_now() -> Clock:
    """A monotonic clock that begins at 0."""
    read = time.monotonic_ns
    began = read()
    return lambda: Instant((read() - began) // 1_000)
