"""The largest number of calls that keep up: what keeping up means, and how the number is found."""

from collections.abc import Callable, Iterator

from offhook.values import Value

SLOWER = 50_000
"""Microseconds by which the reply delay may grow over that of one call."""
LATE = 20_000
"""Microseconds by which the server's event loop may be late (99th percentile): a frame."""
BEHIND = 0.01
"""The share of chunks that may be heard when the next one has come, as is asked of the loop: of a backlog it is soon
all."""
CALLERS_LATE = 10_000
"""Microseconds by which the callers may be late (99th percentile) before what they measured is void."""
FINE = 0.1
"""The search ends where the step is less than this share of the number."""
TRIES = 2
"""How often a number of calls has to fail before it is believed. Machines have bad minutes, and one of them ends a
search at a number that the server keeps up with in any other."""
SPARE = 0.2
"""The share of the largest number that a server had better keep free: for callers who all speak at once, longer
replies, TLS, and whatever else the machine does."""


class Level(Value, frozen=True, kw_only=True):
    """What was measured with so many calls. Times in microseconds, at the stated percentile; None: not known."""

    calls: int
    turns: int
    delay_p50: int
    delay_p95: int
    outside: int | None = None
    """The part of a reply's delay that is none of the server's doing: listening, and the providers."""
    barge_ins: int
    clear_p50: int
    clear_p95: int
    callers_late_p99: int
    server_late_p99: int | None
    hearing_p99: int | None
    """How long a batch of hearing takes, all told."""
    behind: float | None
    """Of the chunks that were heard, the share that was taken when the next one of the same call had come."""
    underruns: int
    unanswered: int
    early: int
    lost: int
    refused: int
    sent_per_second: float
    received_per_second: float
    cpu_per_call_second: float | None
    starved: float | None
    """The share of the time in which the server's main thread could have run but had no core: where others use the
    machine, the figures are theirs too."""
    memory: int | None
    problems: tuple[str, ...] = ()
    storm: dict[str, int] = {}
    """What became of those who rang beside these calls."""

    @property
    def share_p50(self) -> int | None:
        """The server's own share of the reply delay."""
        return None if self.outside is None else self.delay_p50 - self.outside

    @property
    def share_p95(self) -> int | None:
        return None if self.outside is None else self.delay_p95 - self.outside

    @property
    def harmed(self) -> int:
        """How often something happened that no caller should meet."""
        return self.underruns + self.unanswered + self.lost

    @property
    def void(self) -> bool:
        """Whether the callers were too late to say anything about the server."""
        return self.callers_late_p99 > CALLERS_LATE


def faults(level: Level, alone: Level) -> list[str]:
    """Why these calls did not keep up, compared with one `alone`; empty where they did."""
    return list(_faults(level, alone))


def _faults(level: Level, alone: Level) -> Iterator[str]:
    if level.void:
        yield f"void: the callers themselves were {level.callers_late_p99 / 1000:.0f} ms late"
    if level.delay_p95 > alone.delay_p95 + SLOWER:
        yield f"replies {(level.delay_p95 - alone.delay_p95) / 1000:.0f} ms slower than with one call"
    if level.barge_ins and alone.barge_ins and level.clear_p95 > alone.clear_p95 + SLOWER:
        yield f"hearing behind: clears {(level.clear_p95 - alone.clear_p95) / 1000:.0f} ms slower than with one call"
    if level.server_late_p99 is not None and level.server_late_p99 > LATE:
        yield f"the event loop {level.server_late_p99 / 1000:.0f} ms late"
    if level.behind is not None and level.behind > BEHIND:
        yield f"hearing behind with {level.behind:.1%} of what was said"
    for count, what in (
        (level.underruns, "underruns"),
        (level.unanswered, "turns without a reply"),
        (level.lost, "calls lost"),
        (level.refused, "calls refused"),
    ):
        if count:
            yield f"{count} {what}"


def largest(keeps_up: Callable[[int], bool], first: int, limit: int) -> int:
    """The largest number of calls up to `limit` that keep up, to within a tenth: doubling from `first` until they do
    not, then halving the gap. 0: not even one more than none."""
    good, bad, calls = 0, limit + 1, min(first, limit)
    while good < limit and bad - good > max(1, FINE * good):
        if tried(keeps_up, calls):
            good = calls
        else:
            bad = calls
        calls = min(2 * good, limit) if bad > limit else (good + bad) // 2
    return good


def tried(keeps_up: Callable[[int], bool], calls: int) -> bool:
    """Whether so many calls keep up, in one of their tries."""
    return any(keeps_up(calls) for _ in range(TRIES))


def proposed(limit: int) -> int:
    """The `--max-calls` for a server that keeps up with so many."""
    return max(1, int((1 - SPARE) * limit))
