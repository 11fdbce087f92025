"""Workers that die: what is said of it, and how long to wait before one is begun in the place of another. Pure."""

import signal

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


def obituary(worker: int, exit_code: int | None, *, hung: bool) -> str:
    """What is said of a worker that died without a word. One that had `hung` was killed by ourselves, others by the
    kernel: where memory runs out, it kills whoever has most."""
    killed = exit_code == -signal.SIGKILL and not hung
    advice = ": killed, perhaps for want of memory; fewer --workers need less" if killed else ""
    return f"worker {worker} has died (exit code {exit_code}{advice})"
