"""Lines, counted exactly, and tokens, good once: of one process, or of all the workers of a server. Pure.

A call holds one slot from the webhook that reserved it to its end. A reservation ends by itself; a call that is on the
line ends when its worker says so, or is no more.
"""

from dataclasses import dataclass
from enum import StrEnum

from offhook.carrier.twilio.tokens import SpentTokens

NEVER = float("-inf")


class Refusal(StrEnum):
    """Why a call gets no line."""

    FULL = "all lines are taken"
    LATE = "the event loop is late"
    STOPPING = "the server is about to stop"
    SPENT = "its token was used before"


@dataclass
class _Slot:
    """A call's line. It exists while a stream is `live` on it, or is expected `until` then."""

    worker: int
    live: bool
    until: float


class Slots:
    """Never more than `capacity`. Times are seconds of one clock; `promise` is how long a reservation waits for its
    stream."""

    def __init__(self, capacity: int, promise: float) -> None:
        self._capacity = capacity
        self._promise = promise
        self._slots: dict[str, _Slot] = {}
        self._spent = SpentTokens()
        self.closed = False
        """Whether no new calls are taken."""

    def taken(self, now: float) -> int:
        """Lines in use or reserved."""
        self._slots = {call_id: slot for call_id, slot in self._slots.items() if slot.live or slot.until > now}
        return len(self._slots)

    def load(self, worker: int) -> int:
        """Those of one worker."""
        return sum(slot.worker == worker for slot in self._slots.values())

    def worker_of(self, call_id: str) -> int | None:
        """Who has the call, or is to have it."""
        slot = self._slots.get(call_id)
        return slot.worker if slot else None

    def is_live(self, call_id: str) -> bool:
        """Whether the call's stream has come, and the call has not ended since."""
        slot = self._slots.get(call_id)
        return slot is not None and slot.live

    def reserve(self, call_id: str, worker: int, now: float) -> Refusal | None:
        """Keep a line for a call whose stream is to come to this worker. Again: for longer."""
        if refusal := self._refuse(call_id, now):
            return refusal
        slot = self._slots.setdefault(call_id, _Slot(worker, live=False, until=NEVER))
        slot.until = now + self._promise
        if not slot.live:
            slot.worker = worker
        return None

    def seat(self, call_id: str, worker: int, now: float, token: str = "", good_for: float = 0.0) -> Refusal | None:
        """The call's stream has come to this worker, with a token that is good for so many more seconds (or none). If
        the call was live with another worker, that one has lost it."""
        if token and not self._spent.spend(token, now + good_for, now):
            return Refusal.SPENT
        if refusal := self._refuse(call_id, now):
            return refusal
        self._slots[call_id] = _Slot(worker, live=True, until=NEVER)
        return None

    def cancel(self, call_id: str) -> None:
        """The stream will not come. A call that is live goes on."""
        if slot := self._slots.get(call_id):
            slot.until = NEVER
            self._forget_if_over(call_id, slot)

    def leave(self, call_id: str, worker: int) -> None:
        """The call has ended with this worker. Idempotent; means nothing if another worker has it now."""
        slot = self._slots.get(call_id)
        if slot and slot.live and slot.worker == worker:
            slot.live = False
            self._forget_if_over(call_id, slot)

    def lose(self, worker: int) -> int:
        """The worker is no more: how many live calls went with it. Reservations stay, their streams may come to
        another."""
        lost = [call_id for call_id, slot in self._slots.items() if slot.live and slot.worker == worker]
        for call_id in lost:
            self.leave(call_id, worker)
        return len(lost)

    def _refuse(self, call_id: str, now: float) -> Refusal | None:
        taken = self.taken(now)
        if call_id in self._slots:
            return None
        if self.closed:
            return Refusal.STOPPING
        return Refusal.FULL if taken >= self._capacity else None

    def _forget_if_over(self, call_id: str, slot: _Slot) -> None:
        if not slot.live and slot.until == NEVER:
            del self._slots[call_id]
