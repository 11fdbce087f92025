"""How long the caller has been waiting for us, and what that makes due: first a word that we are still there, then an
end to the waiting.
"""

from offhook.call.config import Limits
from offhook.timebase import Instant, after, ms, seconds

_SOON = ms(700)
"""A turn that was long in ending has used up the caller's patience already, but the reply gets this long to come
before a filler does."""
_AT_LEAST = seconds(2)
"""And this long before we apologise."""


def _later(one: Instant, other: Instant) -> Instant:
    return one if one >= other else other


class Waiting:
    """From the end of a turn to the first sound of its answer. While tools run nobody apologises."""

    def __init__(self, limits: Limits) -> None:
        self.filler_at: Instant | None = None
        """When to say that we are still there."""
        self.answer_at: Instant | None = None
        """When a reply comes too late."""
        self._limits = limits

    def begin(self, now: Instant, ended_at: Instant) -> None:
        """It is our turn; the caller's last sound was received at `ended_at`."""
        self.filler_at = _later(after(ended_at, self._limits.filler), after(now, _SOON))
        self.answer_at = _later(after(ended_at, self._limits.answer), after(now, _AT_LEAST))

    def use_tools(self, now: Instant) -> None:
        """Tools run."""
        self.filler_at, self.answer_at = after(now, self._limits.filler), None

    def go_on(self, now: Instant) -> None:
        """All tools have returned, and the reply goes on."""
        self.answer_at = after(now, self._limits.answer)

    def postpone(self, until: Instant) -> None:
        """Something is being played until then: the silence begins behind it."""
        self.filler_at = after(until, self._limits.filler)

    def fill(self) -> None:
        """A filler is said: one is enough."""
        self.filler_at = None

    def over(self) -> None:
        """The answer is being heard, or is not wanted any more."""
        self.filler_at = self.answer_at = None
