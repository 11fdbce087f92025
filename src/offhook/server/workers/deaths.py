"""How long to wait before a worker is begun in the place of one that died. Pure."""

TRIES = 3
"""Deaths in a row before any worker was ready, after which none will ever be."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds, from the second death in a row on; doubled each time."""
CALM = 60.0
"""Seconds without a death, after which the next is the first again."""


class Deaths:
    """Those in a row. Times are seconds of one clock."""

    def __init__(self) -> None:
        self.in_a_row = 0
        self._last = float("-inf")

    def add(self, now: float) -> float:
        """One more: how long to wait."""
        self.in_a_row = 1 if now - self._last > CALM else self.in_a_row + 1
        self._last = now
        if self.in_a_row == 1:
            return 0.0
        # Beyond some thousand deaths, 2.0 to that power would overflow.
        return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self.in_a_row - 2, 16))
