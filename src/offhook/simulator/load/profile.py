"""What each caller of a load test does, and what is found of it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from offhook.timebase import Duration, seconds
from offhook.values import Value

GRID = 1_280
"""Samples, 160 ms: 8 frames of 20 ms and 5 of hearing's chunks of 32 ms. Speech that begins on this grid falls on
frames and chunks in the same way every time, so that delays differ by what the server does and by nothing else."""


class Profile(Value, frozen=True):
    """The call profile: every `cycle` the caller says `speech` (mu-law), then listens; `noise` is a loop of the line's
    own sound. Without speech they only hold the line. Every `barge_in_every` cycles (0: never) they say it again,
    `barge_in_after` into the reply."""

    speech: bytes
    noise: bytes
    cycle: Duration = seconds(12)
    barge_in_every: int = 5
    barge_in_after: Duration = seconds(2)


@dataclass
class Tally:
    """What a crowd of callers met while it was measured. Times in microseconds."""

    delays: list[int] = field(default_factory=list)
    """From the end of an utterance to the first sound of the reply."""
    clears: list[int] = field(default_factory=list)
    """From the begin of an utterance over the agent's speech to its `clear`."""
    lateness: list[int] = field(default_factory=list)
    """How late the callers themselves were."""
    sent: int = 0
    received: int = 0
    """Messages."""
    underruns: int = 0
    """How often playing ran dry within a reply."""
    unanswered: int = 0
    """Turns that had no reply when the next one began."""
    early: int = 0
    """Replies that began while the caller was still speaking."""
    lost: int = 0
    """Calls that the server ended."""
    refusals: Counter[str] = field(default_factory=Counter)
    """Calls that did not come about, by what the server said."""
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in what another crowd met."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def refused(self) -> int:
        return self.refusals.total()


def percentile(values: Iterable[int], share: float) -> int:
    """The value that `share` (0 to 1) of the values do not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0
