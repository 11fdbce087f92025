"""Costs as multiples of a floor that is measured in the same run: `msgspec` decoding one frame's message.

Microseconds differ from machine to machine and from hour to hour; what decoding costs moves with them.
"""

import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from benchmarks.frames import decoding, noise, texts

FRAMES = 500
ROUNDS = 12

Work = Callable[[], int]
"""Does some units of work and says how many."""
Cost = Callable[[Callable[[], Work]], float]

_found: dict[str, float] = {}


@pytest.fixture(scope="session")
def sound() -> bytes:
    """Ten seconds of noise, mu-law."""
    return noise(FRAMES * 160, -50)


@pytest.fixture(scope="session")
def sent(sound: bytes) -> list[str]:
    """The messages in which a carrier would send it."""
    return texts(sound)


@pytest.fixture
def cost(benchmark: Any, sent: list[str], request: pytest.FixtureRequest) -> Cost:
    """How many times the floor a unit of work costs. `prepare` is asked for new work each round; the least counts."""
    # CPU time of the thread: on a shared machine the clock on the wall measures the others.
    benchmark._timer = time.thread_time

    def measure(prepare: Callable[[], Work]) -> float:
        units: list[int] = []

        def ready() -> tuple[tuple[Work], dict[str, Any]]:
            return (prepare(),), {}

        benchmark.pedantic(lambda work: units.append(work()), setup=ready, rounds=ROUNDS)
        floor = min(_decode(sent) for _ in range(ROUNDS))
        ratio = benchmark.stats.stats.min / units[0] / floor if benchmark.stats else 0.0
        benchmark.extra_info["x floor"] = round(ratio, 1)
        _found[request.node.name.removeprefix("test_").replace("_", " ")] = ratio
        return ratio

    return measure


def _decode(sent: list[str]) -> float:
    began = time.thread_time()
    decoding(sent)
    return (time.thread_time() - began) / len(sent)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table of ratios, beside the one of microseconds per round."""
    terminalreporter.section("cost of one, as a multiple of decoding a frame's message")
    for name, ratio in _found.items():
        terminalreporter.write_line(f"{name:<56}{ratio:>8.1f}")
