"""What became of calls, kept for a while after they have ended: what we know, and what the carrier says."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from offhook.values import Value

MEMORY = 600.0
"""Seconds. The carrier's last word on a call comes within a few."""
MOST = 10_000
"""Calls. Whoever may post statuses must not be able to fill the memory."""


class Outcome(Value, frozen=True):
    """What is known of a call. `well` is ours: true once it has come to its proper end, false once it was cut off.

    `status` and `dialled` are the carrier's last words on the call and on a transfer of it: `CallStatus` and
    `DialCallStatus` as Twilio has them. Only these tell that a call was ended, or a caller connected.
    """

    well: bool | None = None
    status: str = ""
    dialled: str = ""


class Outcomes:
    """Outcomes by CallSid, those that were heard of last at the end."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[str, tuple[float, Outcome]] = {}

    def note(self, call_id: str, **facts: Any) -> None:
        """Something more is known of a call."""
        outcome = replace(self.find(call_id), **facts)
        self._known.pop(call_id, None)
        self._known[call_id] = (self._clock() + MEMORY, outcome)
        while len(self._known) > MOST:
            del self._known[next(iter(self._known))]

    def find(self, call_id: str) -> Outcome:
        """What is known of a call: nothing, if it is unknown or long over."""
        self._forget()
        return self._known.get(call_id, (0.0, Outcome()))[1]

    def _forget(self) -> None:
        now = self._clock()
        while self._known:
            oldest = next(iter(self._known))
            if self._known[oldest][0] > now:
                return
            del self._known[oldest]
