"""Which worker gets a connection: the one that its path names, the one that has the call, or the least loaded. Pure."""

from enum import IntEnum

from offhook.server.slots import Slots
from offhook.server.workers.peek import Asked

EXPECTED = 1.0
"""Seconds that a call which was sent to a worker counts there, until the worker reserves a line for it or does not.
Without this, calls that ring at the same instant would all be sent to the same worker."""
MOST_EXPECTED = 1_000
MOST_REMEMBERED = 20_000
"""Calls whose worker is known. What comes after a call's end comes within seconds; but strangers must not be able to
fill the memory."""


class Standing(IntEnum):
    """How fit a worker is for new calls, the fittest first."""

    READY = 0
    LATE = 1
    """Its event loop lags."""
    STARTING = 2
    """It serves, but its agent is not ready."""
    SILENT = 3
    """It gives no sign of life."""
    LEAVING = 4
    """It drains: the calls that it has may be asked about."""


class Placement:
    """Knows the workers that connections can be handed to."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._standing: dict[int, Standing] = {}
        self._expected: dict[str, tuple[float, int]] = {}
        self._remembered: dict[str, int] = {}
        self._turns: dict[int, int] = {}
        self._turn = 0

    def put(self, worker: int, standing: Standing) -> None:
        """Who leaves does not come back."""
        if self._standing.get(worker) is not Standing.LEAVING:
            self._standing[worker] = standing

    def remove(self, worker: int) -> None:
        self._standing.pop(worker, None)
        self._turns.pop(worker, None)

    def remember(self, call_id: str, worker: int) -> None:
        """The worker has to do with the call, also after its end: it knows how it ended."""
        self._expected.pop(call_id, None)
        self._remembered.pop(call_id, None)
        self._remembered[call_id] = worker
        if len(self._remembered) > MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]

    def pick(self, asked: Asked, now: float) -> int | None:
        """The worker for a connection; None if there is none at all."""
        known = (asked.worker, *(self._worker_of(call_id, now) for call_id in asked.calls))
        for worker in known:
            if worker in self._standing:
                return worker
        if not self._standing:
            return None
        self._expected = {call: kept for call, kept in self._expected.items() if kept[0] > now}
        worker = min(self._standing, key=self._rank)
        self._turn += 1
        self._turns[worker] = self._turn
        for call_id in asked.calls[:1]:
            self._expected[call_id] = (now + EXPECTED, worker)
            if len(self._expected) > MOST_EXPECTED:
                del self._expected[next(iter(self._expected))]
        return worker

    def _rank(self, worker: int) -> tuple[int, int, int]:
        """Among equals, whoever had no turn for longest comes first."""
        load = self._slots.load(worker) + sum(each == worker for _, each in self._expected.values())
        return self._standing[worker], load, self._turns.get(worker, 0)

    def _worker_of(self, call_id: str, now: float) -> int | None:
        worker = self._slots.worker_of(call_id)
        if worker in self._standing:
            return worker
        until, expecting = self._expected.get(call_id, (now, None))
        return expecting if until > now else self._remembered.get(call_id)
