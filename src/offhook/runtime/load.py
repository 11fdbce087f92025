"""Whether hearing keeps up: how long its batches take, and how many chunks had to wait for longer than one lasts."""

from bisect import bisect_left
from collections import deque

BOUNDS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
"""Seconds. From 32 ms on, the length of a chunk, hearing falls behind."""
_RECENT = 2_000
"""Batches by which the percentile goes: half a minute of a server with more than twenty calls."""


class HearingLoad:
    """Figures of all batches since the start. Where `late` grows, hearing does not keep up: no chunk is lost by that,
    but callers who break in are heard so much later."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        """Batches that took up to each of the bounds and no less than the one before; the last, longer."""
        self.seconds = 0.0
        """All of them together, from the start of a batch until its evidence is here."""
        self.chunks = 0
        self.late = 0
        """Chunks that were taken when the next one of the same ear was there already."""
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def took(self, seconds: float, chunks: int, late: int) -> None:
        """A batch of so many chunks is done, of which some were late."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds
        self.chunks += chunks
        self.late += late
        self._recent.append(seconds)

    @property
    def batches(self) -> int:
        return sum(self.counts)

    @property
    def p99(self) -> float:
        """Seconds that 99 of 100 of the last batches did not exceed; 0 before the first."""
        ordered = sorted(self._recent)
        return ordered[len(ordered) * 99 // 100] if ordered else 0.0
