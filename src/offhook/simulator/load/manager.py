"""Runs one level of a load test: callers in processes of their own, and what the server used meanwhile."""

import multiprocessing
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from offhook.errors import OffhookError
from offhook.simulator.load import crowd
from offhook.simulator.load.crowd import Plan
from offhook.simulator.load.profile import Profile, Tally, percentile
from offhook.simulator.load.search import Level
from offhook.simulator.load.usage import usage
from offhook.values import Value

PER_PROCESS = 400
"""Callers in one process: about half of a core."""
RAMP_PER_CALL, LONGEST_RAMP = 0.05, 10.0
_PATIENCE = 60.0
"""Seconds that a process of callers may take beyond what it was told to."""
_LATENESS = "offhook_loop_lateness_seconds_bucket"
_SPAWN = multiprocessing.get_context("spawn")


class LoadError(OffhookError):
    """The load test itself has failed."""


class Target(Value, frozen=True):
    """The server: its voice webhook (or stream), its process if that is here, and the token that signs."""

    url: str
    pid: int | None = None
    auth_token: str = ""


def level(target: Target, profile: Profile, calls: int, seconds: float, *, storm: int = 0) -> Level:
    """Measure `calls` calls for so long. `storm` more ring meanwhile, within ten seconds. Raises LoadError."""
    warm = profile.cycle / 1_000_000
    ramp = min(LONGEST_RAMP, RAMP_PER_CALL * calls)
    plans = _plans(target, profile, calls, ramp, warm, seconds)
    with _crowds(plans) as crowds:
        for each in crowds:
            _answer(each, ramp + warm)
        before, late = usage(target.pid or 0), lateness(target.url)
        for each in crowds:
            each.send("go")
        met = _storm(target, profile, storm, seconds) if storm else Tally()
        for each in crowds:
            found = _answer(each, seconds)
            assert isinstance(found, Tally)
            met.add(found)
        after, later = usage(target.pid or 0), lateness(target.url)
    return Level(
        calls,
        len(met.delays),
        percentile(met.delays, 0.5),
        percentile(met.delays, 0.95),
        len(met.clears),
        percentile(met.clears, 0.5),
        percentile(met.clears, 0.95),
        percentile(met.lateness, 0.99),
        _late(late, later),
        met.underruns,
        met.unanswered,
        met.early,
        met.lost,
        met.refused,
        met.sent / seconds,
        met.received / seconds,
        (after.cpu - before.cpu) / seconds / calls if before and after else None,
        (after.waited - before.waited) / seconds if before and after else None,
        after.memory if after else None,
        tuple(dict.fromkeys(met.problems)),
    )


def _plans(target: Target, profile: Profile, calls: int, ramp: float, warm: float, seconds: float) -> list[Plan]:
    """The calls, spread evenly over as few processes as will do."""
    processes = -(-calls // PER_PROCESS)
    shares = (len(range(first, calls, processes)) for first in range(processes))
    return [
        Plan(target.url, share, profile, ramp, warm, seconds, target.auth_token, seed)
        for seed, share in enumerate(shares)
    ]


def _storm(target: Target, profile: Profile, calls: int, seconds: float) -> Tally:
    """Others ring while the level is measured; how many of them were refused is no fault."""
    with _crowds([Plan(target.url, calls, profile, LONGEST_RAMP, 0, 0, target.auth_token, 99)]) as (others,):
        _answer(others, LONGEST_RAMP + seconds)
    return Tally()


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


def lateness(url: str) -> dict[float, float]:
    """How often the server's event loop has been late by at most so many seconds; empty where it does not say."""
    parts = urlsplit(url)
    try:
        with urllib.request.urlopen(f"{parts.scheme.replace('ws', 'http')}://{parts.netloc}/metrics", timeout=5) as got:
            lines = got.read().decode().splitlines()
    except OSError:
        return {}
    buckets = (line.partition('le="')[2].partition('"} ') for line in lines if line.startswith(_LATENESS))
    return {float(bound): float(count) for bound, _, count in buckets}


def _late(before: dict[float, float], after: dict[float, float]) -> int | None:
    """The 99th percentile, in microseconds, of what was counted between: the bound of its bucket."""
    if not before or not after:
        return None
    counted = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    enough = 0.99 * max(counted.values())
    bound = next(bound for bound, count in counted.items() if count >= enough)
    return 10_000_000 if bound == float("inf") else round(bound * 1_000_000)
