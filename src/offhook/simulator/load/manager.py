"""Runs one level of a load test: callers in processes of their own, and what the server used meanwhile."""

import multiprocessing
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

from offhook.audio.events import CHUNK
from offhook.errors import OffhookError
from offhook.simulator.load import crowd, family, metrics
from offhook.simulator.load.caller import FRAME
from offhook.simulator.load.crowd import Plan
from offhook.simulator.load.profile import Profile, Tally, percentile
from offhook.simulator.load.search import Level
from offhook.values import Value

PER_PROCESS = 400
"""Callers in one process: about half of a core."""
RAMP_PER_CALL, LONGEST_RAMP = 0.05, 10.0
_PATIENCE = 60.0
"""Seconds that a process of callers may take beyond what it was told to."""
_SPAWN = multiprocessing.get_context("spawn")


class LoadError(OffhookError):
    """The load test itself has failed."""


class Target(Value, frozen=True):
    """The server: its voice webhook (or stream), its process if that is here (with workers: their supervisor's), and
    the token that signs."""

    url: str
    pid: int | None = None
    auth_token: str = ""


class Reading(NamedTuple):
    """What the server has used and says of itself, at one moment."""

    used: family.Family
    says: metrics.Metrics


def level(target: Target, profile: Profile, calls: int, seconds: float, *, storm: int = 0) -> Level:
    """Measure `calls` calls for so long. `storm` more ring meanwhile, within ten seconds. Raises LoadError."""
    warm = profile.cycle / 1_000_000
    ramp = min(LONGEST_RAMP, RAMP_PER_CALL * calls)
    plans = _plans(target, profile, calls, ramp, warm, seconds)
    with _crowds(plans) as crowds:
        for each in crowds:
            _answer(each, ramp + warm)
        before = _read(target)
        for each in crowds:
            each.send("go")
        met, rang = Tally(), _storm(target, profile, storm, seconds) if storm else {}
        for each in crowds:
            found = _answer(each, seconds)
            assert isinstance(found, Tally)
            met.add(found)
        after = _read(target)
    return _level(calls, seconds, met, rang, before, after)


def _read(target: Target) -> Reading:
    return Reading(family.family(target.pid) if target.pid else {}, metrics.fetch(target.url))


def _level(calls: int, seconds: float, met: Tally, rang: dict[str, int], begun: Reading, ended: Reading) -> Level:
    before, after = begun.used, ended.used
    return Level(
        calls=calls,
        turns=len(met.delays),
        delay_p50=percentile(met.delays, 0.5),
        delay_p95=percentile(met.delays, 0.95),
        barge_ins=len(met.clears),
        clear_p50=percentile(met.clears, 0.5),
        clear_p95=percentile(met.clears, 0.95),
        callers_late_p99=percentile(met.lateness, 0.99),
        server_late_p99=metrics.p99(begun.says, ended.says, metrics.LATENESS),
        hearing_p99=metrics.p99(begun.says, ended.says, metrics.HEARING),
        behind=_share(metrics.counted(begun.says, ended.says, metrics.BACKLOG), met.sent * FRAME // CHUNK),
        underruns=met.underruns,
        unanswered=met.unanswered,
        early=met.early,
        lost=met.lost,
        refused=met.refused,
        sent_per_second=met.sent / seconds,
        received_per_second=met.received / seconds,
        cpu_per_call_second=family.cpu(before, after) / seconds / calls if before and after else None,
        starved=family.waited(before, after) / seconds if before and after else None,
        memory=family.memory(after) if after else None,
        problems=tuple(dict.fromkeys([*met.problems, *met.refusals])),
        storm=rang,
    )


def _share(part: int | None, whole: int) -> float | None:
    return None if part is None else part / max(1, whole)


def _plans(target: Target, profile: Profile, calls: int, ramp: float, warm: float, seconds: float) -> list[Plan]:
    """The calls, spread evenly over as few processes as will do."""
    processes = -(-calls // PER_PROCESS)
    shares = (len(range(first, calls, processes)) for first in range(processes))
    return [
        Plan(target.url, share, profile, ramp, warm, seconds, target.auth_token, seed)
        for seed, share in enumerate(shares)
    ]


def _storm(target: Target, profile: Profile, calls: int, seconds: float) -> dict[str, int]:
    """Others ring while the level is measured, and hang up again; what became of them, in words."""
    with _crowds([Plan(target.url, calls, profile, LONGEST_RAMP, 0, 0, target.auth_token, 99)]) as (others,):
        _answer(others, LONGEST_RAMP + seconds)
        others.send("go")
        met = _answer(others, 0)
        assert isinstance(met, Tally)
    connected = Counter({"was connected": calls - met.refused})
    return dict(+(connected + met.refusals))


@contextmanager
def _crowds(plans: list[Plan]) -> Iterator[list[Connection]]:
    """Processes of callers, who hang up at the end."""
    crowds, processes = [], []
    try:
        for plan in plans:
            ours, theirs = _SPAWN.Pipe()
            process = _SPAWN.Process(target=crowd.run, args=(plan, theirs), daemon=True)
            process.start()
            theirs.close()
            crowds.append(ours)
            processes.append(process)
        yield crowds
    finally:
        for each in crowds:
            each.close()
        for process in processes:
            process.join(2)
            process.kill()


def _answer(each: Connection, seconds: float) -> object:
    try:
        if each.poll(seconds + _PATIENCE):
            return each.recv()
    except EOFError:
        raise LoadError("a process of callers has ended by itself") from None
    raise LoadError("a process of callers does not answer")
