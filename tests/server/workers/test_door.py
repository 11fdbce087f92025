"""The port in front of the workers: who says what they want is passed on whole, and nobody else holds anything up."""

import asyncio
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from doors import run

from offhook.server.listening import listen
from offhook.server.workers.door import Door
from offhook.server.workers.peek import Asked
from polling import until

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Workers:
    """Take every connection, once they are there."""

    def __init__(self) -> None:
        self.there = True
        self.asked: list[Asked] = []
        self.taken: list[socket.socket] = []
        self.port = 0

    def take(self, asked: Asked, connection: socket.socket) -> bool:
        if self.there:
            self.asked.append(asked)
            self.taken.append(connection)
        return self.there

    async def until(self, count: int) -> None:
        await until(lambda: len(self.taken) >= count)


@asynccontextmanager
async def opened(patience: float = 5.0, most: int = 8) -> AsyncIterator[Workers]:
    workers = Workers()
    with listen("127.0.0.1", 0) as listener:
        workers.port = listener.getsockname()[1]
        door = asyncio.create_task(Door(listener, workers.take, patience, most).run())
        try:
            yield workers
        finally:
            door.cancel()
            await asyncio.gather(door, return_exceptions=True)
            for connection in workers.taken:
                connection.close()


@asynccontextmanager
async def calling(workers: Workers, *pieces: bytes) -> AsyncIterator[asyncio.StreamReader]:
    reader, writer = await asyncio.open_connection("127.0.0.1", workers.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        yield reader
    finally:
        writer.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(5):
        try:
            return await reader.read(1) == b""
        except ConnectionResetError:
            return True


def test_a_connection_is_passed_on_as_it_came() -> None:
    async def scenario() -> None:
        async with opened() as workers, calling(workers, GET):
            await workers.until(1)
            assert workers.taken[0].recv(1_000) == GET

    run(scenario())


def test_a_form_that_comes_in_pieces_is_waited_for() -> None:
    head = b"POST /twilio/status HTTP/1.1\r\nContent-Length: 11\r\n\r\n"

    async def scenario() -> None:
        async with opened() as workers:
            reader, writer = await asyncio.open_connection("127.0.0.1", workers.port)
            for piece in (head[:20], head[20:], b"CallSid="):
                writer.write(piece)
                await asyncio.sleep(0.02)
            assert not workers.taken
            writer.write(b"CA1")
            await workers.until(1)
            assert workers.asked == [Asked(calls=("CA1",))]
            assert workers.taken[0].recv(1_000) == head + b"CallSid=CA1"
            writer.close()
            assert not reader.at_eof()

    run(scenario())


def test_who_says_nothing_or_not_all_is_closed_in_time() -> None:
    async def scenario() -> None:
        async with opened(patience=0.05) as workers, calling(workers) as silent, calling(workers, GET[:-1]) as slow:
            assert await closed(silent)
            assert await closed(slow)
            assert not workers.taken

    run(scenario())


def test_where_too_many_wait_the_oldest_goes() -> None:
    async def scenario() -> None:
        async with (
            opened(most=2) as workers,
            calling(workers) as oldest,
            calling(workers, b"G"),
            calling(workers),
            calling(workers, GET),
        ):
            assert await closed(oldest)
            await workers.until(1)

    run(scenario())


def test_whoever_comes_before_there_is_a_worker_waits_for_one() -> None:
    async def scenario() -> None:
        async with opened() as workers:
            workers.there = False
            async with calling(workers, GET):
                await asyncio.sleep(0.02)
                workers.there = True
                await workers.until(1)

    run(scenario())


def test_who_goes_away_is_forgotten() -> None:
    async def scenario() -> None:
        async with opened() as workers:
            async with calling(workers):
                pass
            async with calling(workers, GET):
                await workers.until(1)
            assert len(workers.taken) == 1

    run(scenario())


def test_who_is_slow_is_looked_at_less_and_less_often() -> None:
    class Watched(socket.socket):
        looks = 0

        def recv(self, *limits: int) -> bytes:
            self.looks += 1
            return super().recv(*limits)

    async def scenario() -> None:
        ours, theirs = socket.socketpair()
        with theirs, socket.socket() as listener:
            theirs.sendall(GET[:-1])
            slow = Watched(fileno=ours.detach())
            slow.setblocking(False)
            Door(listener, Workers().take, 0.4, 8).let_in(slow)
            theirs.setblocking(False)
            async with asyncio.timeout(5):
                with suppress(ConnectionResetError):
                    assert await asyncio.get_running_loop().sock_recv(theirs, 1) == b""
            assert 1 < slow.looks <= 8, "after 0, 5, 15, 35, 75, 155, 255, 355 ms"

    run(scenario())


def test_while_many_come_the_workers_are_heard() -> None:
    async def scenario() -> None:
        loop, heard = asyncio.get_running_loop(), list[int]()

        def take(_: Asked, connection: socket.socket) -> bool:
            taken.append(connection)
            loop.call_soon(lambda: heard.append(len(taken)))
            return True

        taken: list[socket.socket] = []
        with listen("127.0.0.1", 0) as listener:
            callers = [socket.create_connection(listener.getsockname()) for _ in range(5)]
            for caller in callers:
                caller.sendall(GET)
            door = asyncio.create_task(Door(listener, take, 5.0, 8).run())
            await until(lambda: len(heard) == 5)
            door.cancel()
            await asyncio.gather(door, return_exceptions=True)
        assert heard[0] < 5
        for each in (*callers, *taken):
            each.close()

    run(scenario())


def test_without_descriptors_it_says_how_to_get_more(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with opened() as workers, calling(workers, GET):
            await workers.until(1)
            caller = socket.socket()
            with caller:
                before = resource.getrlimit(resource.RLIMIT_NOFILE)
                free = os.dup(caller.fileno())
                os.close(free)
                resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
                try:
                    caller.connect(("127.0.0.1", workers.port))
                    await until(lambda: caplog.text)
                finally:
                    resource.setrlimit(resource.RLIMIT_NOFILE, before)

    run(scenario())
    assert "Too many open files (ulimit -n raises the limit)" in caplog.text
