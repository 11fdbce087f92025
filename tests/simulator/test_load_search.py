"""What keeping up means, and how the largest number of calls is found."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from offhook.simulator.load import chart
from offhook.simulator.load.search import Level, faults, largest
from offhook.simulator.load.usage import usage

ALONE = Level(
    1, 5, 900_000, 950_000, 2, 120_000, 130_000, 1_000, 5_000, 0, 0, 0, 0, 0, 50.0, 4.0, 0.01, 0.02, 80_000_000
)
CROWD = replace(ALONE, calls=101, memory=100_000_000)


@given(st.integers(0, 500), st.integers(1, 50), st.integers(1, 400))
def test_the_limit_is_found_to_within_a_tenth(true: int, first: int, most: int) -> None:
    asked: list[int] = []

    def keeps_up(calls: int) -> bool:
        asked.append(calls)
        return calls <= true

    found = largest(keeps_up, first, most)
    assert found <= min(true, most)
    assert min(true, most) - found <= max(1, 0.1 * found)
    assert len(asked) == len(set(asked)) <= 15
    assert not asked or max(asked) <= most


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"delay_p95": 1_000_001}, "replies 50 ms slower"),
        ({"clear_p95": 200_000}, "hearing behind: clears 70 ms slower"),
        ({"server_late_p99": 50_000}, "the event loop 50 ms late"),
        ({"callers_late_p99": 11_000}, "void: the callers themselves were 11 ms late"),
        ({"underruns": 1}, "1 underruns"),
        ({"unanswered": 2}, "2 turns without a reply"),
        ({"lost": 3}, "3 calls lost"),
        ({"refused": 4}, "4 calls refused"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, int], words: str) -> None:
    assert faults(CROWD, ALONE) == []
    (fault,) = faults(replace(CROWD, **changed), ALONE)
    assert fault.startswith(words)


def test_a_level_is_one_line_and_all_together_a_plot() -> None:
    assert len(chart.row(CROWD, [])) <= len(chart.HEADER) + 2
    assert (
        chart.row(replace(CROWD, server_late_p99=None, cpu_per_call_second=None, starved=None, memory=None), ["late"])[
            -4:
        ]
        == "late"
    )
    lines = list(chart.summary([CROWD, ALONE], replace(ALONE, cpu_per_call_second=0.004)))
    assert lines[1].split()[0] == "1"
    assert lines[2].split()[::2] == ["101", "950"]
    assert lines[3].endswith("0.00400 s")
    assert lines[4] == "memory per call: 0.20 MB"


def test_a_process_that_works_uses_cpu_and_memory() -> None:
    before = usage(os.getpid())
    if before is None:
        pytest.skip("there is no /proc here")
    sum(at * at for at in range(2_000_000))
    after = usage(os.getpid())
    assert after is not None
    assert after.cpu > before.cpu
    assert after.memory > 5_000_000
    assert after.waited >= before.waited
    assert usage(0) is None
