"""The desk of a worker: it asks the supervisor for lines, and is told what all workers have to know."""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable
from typing import assert_never

from offhook.server.slots import Refusal
from offhook.server.workers import messages
from offhook.server.workers.messages import (
    Cancel,
    Evict,
    FromSupervisor,
    FromWorker,
    Granted,
    Leave,
    Others,
    Reserve,
    Seat,
    Stop,
)


class WorkerDesk:
    """A `server.desk.Desk`. Without a supervisor nobody gets a line any more."""

    def __init__(self, control: socket.socket) -> None:
        self.ready = False
        self.lost = (0, 0)
        self._control = control
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Refusal | None]] = {}
        self._alone = True
        self._told_to_stop = False

    async def open(self) -> None:
        """Before all else."""
        connected = await asyncio.open_unix_connection(sock=self._control, limit=messages.LONGEST)
        self._reader, self._writer = connected
        self._alone = False

    async def reserve(self, call_id: str) -> Refusal | None:
        number = next(self._numbers)
        return await self._ask(number, Reserve(number, call_id))

    async def seat(self, call_id: str, token: str, good_for: float) -> Refusal | None:
        number = next(self._numbers)
        return await self._ask(number, Seat(number, call_id, token, good_for))

    def cancel(self, call_id: str) -> None:
        self.say(Cancel(call_id))

    def leave(self, call_id: str) -> None:
        self.say(Leave(call_id))

    def close(self) -> None:
        """Nothing has to be said: it is the supervisor who stops a worker."""

    def say(self, message: FromWorker) -> None:
        """Never blocks."""
        if not self._alone:
            self._writer.write(messages.encode(message))

    async def run(self, evict: Callable[[str], None], stop: Callable[[], None]) -> None:
        """Hear what the supervisor says, until it is gone; that is an order to stop too, though no second one: calls
        that are being drained go on."""
        try:
            with contextlib.suppress(ConnectionError):
                while (line := await self._reader.readline()).endswith(b"\n"):
                    self._hear(messages.from_supervisor(line), evict, stop)
            if not self._told_to_stop:
                stop()
        finally:
            self._alone = True
            for answer in self._asked.values():
                if not answer.done():
                    answer.set_result(Refusal.STOPPING)
            self._writer.close()

    def _hear(self, message: FromSupervisor, evict: Callable[[str], None], stop: Callable[[], None]) -> None:
        match message:
            case Granted(number, refusal):
                if (answer := self._asked.get(number)) and not answer.done():
                    answer.set_result(refusal)
            case Evict(call_id):
                evict(call_id)
            case Others(ready, workers_lost, calls_lost):
                self.ready, self.lost = ready, (workers_lost, calls_lost)
            case Stop():
                self._told_to_stop = True
                stop()
            case _:
                assert_never(message)

    async def _ask(self, number: int, question: Reserve | Seat) -> Refusal | None:
        if self._alone:
            return Refusal.STOPPING
        answer: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.say(question)
        try:
            return await answer
        finally:
            del self._asked[number]
