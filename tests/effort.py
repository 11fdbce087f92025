"""How much work something is, in a measure that a busy or slow machine does not change: multiples of a fixed piece of
plain Python, done right before and right after it.
"""

import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")


class Effort(NamedTuple):
    """CPU seconds of this machine as it is now, and the same in yardsticks."""

    seconds: float
    yardsticks: float


def yardstick() -> float:
    """CPU seconds of the fixed piece of work: 0.06 to 0.09 where this was written."""
    began = time.process_time()
    table: dict[int, int] = {}
    for number in range(600_000):
        table[number & 1023] = table.get(number & 511, 0) + number
    return time.process_time() - began


def measured(work: Callable[[], Result]) -> tuple[Result, Effort]:
    """Do it once, and say what it took."""
    before = yardstick()
    began = time.process_time()
    result = work()
    seconds = time.process_time() - began
    return result, Effort(seconds, 2 * seconds / (before + yardstick()))
