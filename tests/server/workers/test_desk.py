"""A worker asks its supervisor for lines."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from doors import run

from offhook.server.slots import Refusal
from offhook.server.workers.desk import WorkerDesk
from offhook.server.workers.messages import (
    Cancel,
    Evict,
    FromWorker,
    Granted,
    Leave,
    Others,
    Reserve,
    Seat,
    Stop,
    encode,
    from_worker,
)
from polling import until


class Supervisor:
    """The other end of the socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.evicted: list[str] = []
        self.stops = 0

    async def hears(self) -> FromWorker:
        async with asyncio.timeout(5):
            return from_worker(await self._reader.readline())

    def stop(self) -> None:
        self.stops += 1


@asynccontextmanager
async def supervised() -> AsyncIterator[tuple[WorkerDesk, Supervisor, "asyncio.Task[None]"]]:
    ours, theirs = socket.socketpair()
    desk = WorkerDesk(theirs)
    supervisor = Supervisor(*await asyncio.open_unix_connection(sock=ours))
    await desk.open()
    running = asyncio.create_task(desk.run(supervisor.evicted.append, supervisor.stop))
    try:
        yield desk, supervisor, running
    finally:
        supervisor.writer.close()
        with suppress(ConnectionError):
            await supervisor.writer.wait_closed()
        await running


def test_questions_are_answered_by_their_number() -> None:
    async def scenario() -> None:
        async with supervised() as (desk, supervisor, _):
            asked = [asyncio.create_task(desk.reserve("CA1")), asyncio.create_task(desk.seat("CA2", "token", 20.0))]
            first, second = await supervisor.hears(), await supervisor.hears()
            assert isinstance(first, Reserve)
            assert second == Seat(first.number + 1, "CA2", "token", 20.0)
            supervisor.writer.write(encode(Granted(second.number)) + encode(Granted(first.number, Refusal.FULL)))
            assert await asyncio.gather(*asked) == [Refusal.FULL, None]
            desk.cancel("CA1")
            desk.leave("CA2")
            assert [await supervisor.hears(), await supervisor.hears()] == [Cancel("CA1"), Leave("CA2")]

    run(scenario())


def test_what_all_workers_have_to_know() -> None:
    async def scenario() -> None:
        async with supervised() as (desk, supervisor, _):
            assert not desk.ready
            for message in (Others(True, 1, 7), Evict("CA1"), Granted(99), Stop()):
                supervisor.writer.write(encode(message))
            await until(lambda: supervisor.stops)
            assert desk.ready
            assert (desk.lost, supervisor.evicted) == ((1, 7), ["CA1"])

    run(scenario())


def test_without_a_supervisor_nobody_gets_a_line_and_the_worker_stops() -> None:
    async def scenario() -> None:
        async with supervised() as (desk, supervisor, running):
            asked = asyncio.create_task(desk.reserve("CA1"))
            await supervisor.hears()
            supervisor.writer.close()
            assert await asked is Refusal.STOPPING
            await running
            assert supervisor.stops == 1
            assert await desk.seat("CA2", "", 0.0) is Refusal.STOPPING
            desk.leave("CA2")

    run(scenario())


def test_a_supervisor_that_is_killed_in_the_middle_of_a_word_is_gone_too() -> None:
    async def scenario() -> None:
        async with supervised() as (desk, supervisor, running):
            supervisor.writer.write(encode(Granted(1))[:-2])
            supervisor.writer.close()
            await running
            assert supervisor.stops == 1
            assert await desk.reserve("CA1") is Refusal.STOPPING

    run(scenario())


def test_a_worker_that_drains_goes_on_without_its_supervisor() -> None:
    async def scenario() -> None:
        async with supervised() as (_, supervisor, running):
            supervisor.writer.write(encode(Stop()))
            supervisor.writer.close()
            await running
            assert supervisor.stops == 1, "a second order would end its calls at once"

    run(scenario())


def test_a_question_that_nobody_waits_for_any_more_does_no_harm() -> None:
    async def scenario() -> None:
        async with supervised() as (desk, supervisor, _):
            asked = asyncio.create_task(desk.reserve("CA1"))
            question = await supervisor.hears()
            assert isinstance(question, Reserve)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            supervisor.writer.write(encode(Granted(question.number)))
            again = asyncio.create_task(desk.reserve("CA2"))
            question = await supervisor.hears()
            assert isinstance(question, Reserve)
            supervisor.writer.write(encode(Granted(question.number)))
            assert await again is None

    run(scenario())
