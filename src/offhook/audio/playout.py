"""What the caller heard: a ledger of every sample handed to the carrier, when it is played, and what was dropped.

The carrier queues what it is sent and plays it in order, so the ledger is a line of samples, counted from the call's
first, cut into *runs*: a run begins when something is sent while nothing is left to play. Within a run sample `i`
leaves the carrier `i` sample-times after the run's first.

Two corrections make the estimate true. A mark that comes back says when the carrier really got there: what is left of
its delay after the playing time is the round trip, of which the smallest of the last eight counts (a queue on the way
only adds), and what a run's last two marks are both late by is taken as the carrier having stood still. And an order
to clear works half a round trip after we give it, by which time the carrier has played just as much as *we* count
since we sent the run's first sample: the two halves cancel.
"""

from collections import deque
from enum import Enum, auto
from typing import NamedTuple

from offhook.timebase import Duration, Instant, lasting, samples

_TRIPS_KEPT = 8


class Fate(Enum):
    """What the return of a mark means."""

    PLAYED = auto()
    CLEARED = auto()
    UNKNOWN = auto()
    """We never set it, or it has come back before."""


class _Mark(NamedTuple):
    offset: int
    run: int
    sent: Instant
    cleared: bool


class Ledger:
    """One call's outgoing audio. Offsets count the samples handed to the carrier since the call began, flushed ones
    included.
    """

    def __init__(self) -> None:
        self.sent = 0
        """The offset behind the last sample handed to the carrier."""
        self.flushed = 0
        """How many samples were dropped before they were played."""
        self._run = 0
        self._run_offset = 0
        self._run_began = Instant(0)
        self._slip = Duration(0)
        self._last_lag = Duration(0)
        self._proven = 0
        self._marks: dict[str, _Mark] = {}
        self._trips: deque[Duration] = deque(maxlen=_TRIPS_KEPT)
        self.round_trip = Duration(0)
        """The time from here to the carrier and back, 0 while unknown."""

    def play(self, now: Instant, count: int) -> int:
        """`count` samples are handed to the carrier now. Returns the offset of the first."""
        if self.heard(now) >= self.sent:
            self._run += 1
            self._run_offset, self._run_began = self.sent, now
            self._slip = self._last_lag = Duration(0)
        first = self.sent
        self.sent += count
        return first

    def mark(self, now: Instant, name: str) -> None:
        """A mark is set behind what has been sent. Names are never reused."""
        assert name not in self._marks, f"mark {name!r} is set twice"
        self._marks[name] = _Mark(self.sent, self._run, now, cleared=False)

    def reached(self, now: Instant, name: str) -> Fate:
        """A mark came back."""
        mark = self._marks.pop(name, None)
        if mark is None:
            return Fate.UNKNOWN
        if mark.cleared:
            return Fate.CLEARED
        self._proven = max(self._proven, mark.offset)
        if mark.run == self._run:
            self._learn(now, mark)
        return Fate.PLAYED

    def heard(self, now: Instant) -> int:
        """The offset up to which the carrier would have played if it were told to stop now."""
        elapsed = samples(Duration(max(0, now - self._run_began - self._slip)))
        return max(self._proven, min(self.sent, self._run_offset + elapsed))

    def ends(self) -> Instant:
        """When the last sample sent will have been played and its mark can be back here, as far as is known."""
        return Instant(self._run_began + lasting(self.sent - self._run_offset) + self._slip + self.round_trip)

    def clear(self, now: Instant) -> int:
        """The carrier is told to drop what it has not played. Returns the offset where hearing stops."""
        stop = self.heard(now)
        self.flushed += self.sent - stop
        for name, mark in self._marks.items():
            # A mark in the middle of what was heard is on its way back already; those behind come back because of the
            # clear.
            if mark.offset > stop:
                self._marks[name] = mark._replace(cleared=True)
        self._proven = self.sent
        return stop

    def _learn(self, now: Instant, mark: _Mark) -> None:
        due = self._run_began + lasting(mark.offset - self._run_offset)
        lag = Duration(max(0, now - max(due, mark.sent)))
        self._trips.append(lag)
        self.round_trip = min(self._trips)
        late = Duration(lag - self.round_trip)
        self._slip = min(late, self._last_lag)
        self._last_lag = late
