"""What keeping up means, and how the largest number of calls is found."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from offhook.simulator.load import chart, plot
from offhook.simulator.load.search import Level, faults, largest, proposed
from offhook.simulator.load.usage import usage

ALONE = Level(
    calls=1,
    turns=5,
    delay_p50=900_000,
    delay_p95=950_000,
    outside=890_000,
    barge_ins=2,
    clear_p50=120_000,
    clear_p95=130_000,
    callers_late_p99=1_000,
    server_late_p99=5_000,
    hearing_p99=2_000,
    behind=0.001,
    underruns=0,
    unanswered=0,
    early=0,
    lost=0,
    refused=0,
    sent_per_second=50.0,
    received_per_second=4.0,
    cpu_per_call_second=0.01,
    starved=0.02,
    memory=80_000_000,
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
    assert len(set(asked)) <= 15
    assert all(asked.count(calls) == (1 if calls <= true else 2) for calls in asked)
    assert not asked or max(asked) <= most


def test_a_bad_minute_does_not_end_the_search() -> None:
    tried = []

    def keeps_up(calls: int) -> bool:
        tried.append(calls)
        return calls <= 120 and tried != [20, 40, 80]

    assert largest(keeps_up, 20, 200) == 120
    assert tried[:5] == [20, 40, 80, 80, 160]


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
        ({"behind": 0.05}, "hearing behind with 5.0% of what was said"),
    ],
)
def test_what_is_wrong_is_said(changed: dict[str, float], words: str) -> None:
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
    lines = list(chart.bars([CROWD, ALONE]))
    assert lines[1].split()[0] == "1"
    assert lines[2].split()[::2] == ["101", "950"]


def test_what_a_call_costs_is_told_core_and_clients_apart() -> None:
    idle, core = replace(ALONE, cpu_per_call_second=0.004), replace(CROWD, cpu_per_call_second=0.0075)
    lines = "\n".join(chart.costs([ALONE, CROWD], idle, core))
    assert "only holds the line, 1 calls: 0.00400" in lines
    assert "101 calls: 0.01000 = 0.00750 core + 0.00250 the providers' clients" in lines
    assert "memory per call: 0.20 MB" in lines
    assert "50 in, 4 out" in lines
    unknown = replace(CROWD, cpu_per_call_second=None, memory=None, hearing_p99=None)
    assert len(list(chart.costs([unknown], unknown, None))) == 1


def test_goals_are_met_or_missed_or_not_known() -> None:
    late = replace(CROWD, delay_p50=911_000, clear_p95=150_001, server_late_p99=None, storm={"was told": 9})
    verdicts = {
        line[:52].strip(): line.split()[-1] for line in chart.verdicts(chart.goals(ALONE, late, replace(late, lost=1)))
    }
    assert verdicts["own share of the reply delay, p50, 1 call"] == "met"
    assert verdicts["own share of the reply delay, p95, 1 call"] == "MISSED"
    assert verdicts["own share of the reply delay, p50, 101 calls"] == "MISSED"
    assert verdicts["breaking in to clear, p95, 101 calls"] == "MISSED"
    assert verdicts["event loop late, p99"] == "known"
    assert verdicts["calls harmed while 9 more ring"] == "MISSED"
    assert verdicts["replies that ran dry"] == "met"


def test_where_others_had_the_cores_that_is_said() -> None:
    (line,) = chart.caveat(replace(CROWD, starved=0.18))
    assert "18%" in line
    assert not list(chart.caveat(CROWD))
    assert not list(chart.caveat(replace(CROWD, starved=None)))


def test_a_storm_is_told_by_what_it_was_answered() -> None:
    lines = list(chart.answers(replace(CROWD, storm={"was told": 9, "was connected": 1})))
    assert lines[0].startswith("10 more calls")
    assert lines[1].split(maxsplit=1) == ["9", "was told"]


def test_a_picture_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot.draw([ALONE, CROWD], 101, tmp_path / "delay.png")
    assert (tmp_path / "delay.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("limit", "calls"), [(1, 1), (10, 8), (100, 80)])
def test_some_calls_are_kept_free(limit: int, calls: int) -> None:
    assert proposed(limit) == calls


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
