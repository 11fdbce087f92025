"""The keypad: digits until an answer is complete."""

from offhook.call.config import Limits
from offhook.conversation.expectation import Expectation
from offhook.timebase import Instant, after


class Keypad:
    """Collects keys. An answer is complete with the digits expected, with the terminator, or when no further key
    comes for a while.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._keys = ""
        self.deadline: Instant | None = None

    def press(self, now: Instant, key: str, expects: Expectation) -> str | None:
        """One key. Returns the answer if this completes it; a terminator is not part of it."""
        if key == expects.terminator:
            return self.take() or None
        self._keys += key
        self.deadline = after(now, self._limits.between_keys)
        return self.take() if expects.digits == len(self._keys) else None

    def take(self) -> str:
        """What has been pressed so far is the answer."""
        keys, self._keys, self.deadline = self._keys, "", None
        return keys
