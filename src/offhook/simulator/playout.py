"""The carrier's buffer towards the caller, as Twilio keeps it. Time is an argument.

Audio is played in the order in which it came, from the moment it came; a mark comes back when everything before it
has been played, at once where nothing is left to play, and also when `clear` drops what it waited for. More than ten
minutes are not held. (Twilio's documentation: voice/media-streams/websocket-messages; error 31931.)
"""

from collections import deque
from typing import assert_never

from offhook.carrier.commands import ClearAudio, Command, PlayAudio, SetMark
from offhook.simulator.ledger import Ledger
from offhook.timebase import RATE, SAMPLE_US, Instant
from offhook.values import Value

CAPACITY = 10 * 60 * RATE
"""Samples that the buffer holds."""


class MarkReturned(Value, frozen=True):
    """A mark to be echoed. `played`: what came before it was heard to its end; otherwise it was cleared away."""

    at: Instant
    name: str
    played: bool


class CarrierBuffer:
    """`ledger` holds what was played and, behind now, what will be played if nothing clears it.

    `received` = samples in the ledger + `flushed` + `refused`.
    """

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.received = 0
        self.flushed = 0
        """Samples that were cleared before they were played."""
        self.refused = 0
        """Samples that came on top of ten minutes (31931)."""
        self._marks: deque[tuple[int, str]] = deque()

    @property
    def due(self) -> Instant | None:
        """When the next mark comes back."""
        return Instant(self._marks[0][0] * SAMPLE_US) if self._marks else None

    def receive(self, now: Instant, command: Command) -> list[MarkReturned]:
        """Take an order; the marks that come back by it."""
        returned = self.advance(now)
        match command:
            case PlayAudio(mulaw):
                self._play(now, mulaw)
            case SetMark(name):
                self._marks.append((self.ledger.end, name))
                returned += self.advance(now)
            case ClearAudio():
                self.flushed += self.ledger.cut(now // SAMPLE_US)
                returned += [MarkReturned(now, name, played=False) for _, name in self._marks]
                self._marks.clear()
            case _:
                assert_never(command)
        return returned

    def advance(self, now: Instant) -> list[MarkReturned]:
        """The marks that have come due."""
        returned = []
        while self._marks and self._marks[0][0] * SAMPLE_US <= now:
            returned.append(MarkReturned(now, self._marks.popleft()[1], played=True))
        return returned

    def stop(self, now: Instant) -> None:
        """The stream is over: nothing more is played, and no mark comes back."""
        self.flushed += self.ledger.cut(now // SAMPLE_US)
        self._marks.clear()

    def _play(self, now: Instant, mulaw: bytes) -> None:
        self.received += len(mulaw)
        start = max(-(-now // SAMPLE_US), self.ledger.end)
        if start + len(mulaw) - now // SAMPLE_US > CAPACITY:
            self.refused += len(mulaw)
        else:
            self.ledger.append(start, mulaw)
