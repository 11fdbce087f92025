"""Who was heard when: one side's audio on a call's time line, to the sample.

The index of a sample is its position since the call began: sample p sounds from 125 p us on. Where nothing lies there
is silence.
"""

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from offhook.audio import mulaw
from offhook.timebase import Duration, Instant, ms, samples

AUDIBLE = 100
"""Samples whose magnitude (of 32,767) is greater can be heard: about -50 dB below full scale, under which lies the
noise of any telephone."""
BRIDGE = ms(300)
"""A silence shorter than this belongs to the speech around it."""

QUIET = bytes(code for code in range(256) if abs(int(mulaw.DECODED[code])) <= AUDIBLE)
"""The mu-law bytes that nobody hears."""

_BLOCK = 160


class Span(NamedTuple):
    """Positions from `start` to `end` (exclusive)."""

    start: int
    end: int


class Ledger:
    """Mu-law bytes in the order of their positions, never two at one place. The future may still be cut."""

    def __init__(self) -> None:
        self.end = 0
        """The position behind the last sample."""
        self._starts: list[int] = []
        self._pieces: list[bytes] = []
        self._loud: list[Span] = []

    def append(self, start: int, audio: bytes) -> None:
        """Lay audio at a position that nothing has reached yet."""
        assert start >= self.end, f"{start} is taken: the ledger reaches to {self.end}"
        if not audio:
            return
        self._starts.append(start)
        self._pieces.append(audio)
        self.end = start + len(audio)
        self._loud.extend(_loud(start, audio))

    def cut(self, position: int) -> int:
        """Drop what lies at `position` and behind it; how many samples that was."""
        dropped = 0
        while self._starts and self._starts[-1] + len(self._pieces[-1]) > position:
            start, audio = self._starts.pop(), self._pieces.pop()
            kept = audio[: max(0, position - start)]
            dropped += len(audio) - len(kept)
            if kept:
                self._starts.append(start)
                self._pieces.append(kept)
        self.end = self._starts[-1] + len(self._pieces[-1]) if self._starts else 0
        while self._loud and self._loud[-1].end > position:
            start, _ = self._loud.pop()
            if start < position:
                self._loud.append(Span(start, position))
        return dropped

    def pieces(self, start: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """What lies between two positions, piece by piece, each with its position."""
        end = self.end if end is None else min(end, self.end)
        for index in range(max(0, bisect_right(self._starts, start) - 1), len(self._starts)):
            at, audio = self._starts[index], self._pieces[index]
            if at >= end:
                return
            part = audio[max(0, start - at) : end - at]
            if part:
                yield max(at, start), part

    def between(self, start: int, end: int) -> bytes:
        """What was audible between two positions, silence included: `end - start` bytes."""
        parts: list[bytes] = []
        reached = start
        for at, audio in self.pieces(start, end):
            parts += mulaw.SILENCE * (at - reached), audio
            reached = at + len(audio)
        parts.append(mulaw.SILENCE * (end - reached))
        return b"".join(parts)

    def heard(self) -> list[tuple[Instant, bytes]]:
        """All pieces, each with the instant at which it began to sound."""
        return [(Instant(125 * at), audio) for at, audio in self.pieces()]

    def audible(self, bridge: Duration = BRIDGE, start: int = 0) -> list[Span]:
        """Where something can be heard, from `start` on; silences shorter than `bridge` do not part it."""
        spans: list[Span] = []
        reach = samples(bridge)
        for loud in self._loud[self._after(start) :]:
            begin = max(start, loud.start)
            if spans and begin - spans[-1].end < max(reach, 1):
                spans[-1] = Span(spans[-1].start, loud.end)
            else:
                spans.append(Span(begin, loud.end))
        return spans

    def first_audible(self, start: int) -> int | None:
        """The first position from `start` on at which something can be heard; exact to a block of 20 ms behind
        `start`."""
        index = self._after(start)
        return None if index == len(self._loud) else max(start, self._loud[index].start)

    def last_audible(self) -> int | None:
        """The position behind the last sample that can be heard."""
        return self._loud[-1].end if self._loud else None

    def gaps(self) -> list[Span]:
        """Where nothing lies between two pieces: what was played ran dry, or was cut."""
        found: list[Span] = []
        reached: int | None = None
        for at, audio in self.pieces():
            if reached is not None and at > reached:
                found.append(Span(reached, at))
            reached = at + len(audio)
        return found

    def _after(self, position: int) -> int:
        """The index of the first loud span that ends behind a position."""
        return bisect_right(self._loud, position, key=lambda span: span.end)


def _loud(start: int, audio: bytes) -> Iterator[Span]:
    """Audible stretches, exact where they begin and end, and blind to silences within a block."""
    for offset in range(0, len(audio), _BLOCK):
        block = audio[offset : offset + _BLOCK]
        tail = len(block.rstrip(QUIET))
        if tail:
            yield Span(start + offset + len(block) - len(block.lstrip(QUIET)), start + offset + tail)
