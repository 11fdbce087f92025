"""The outbox: everything in order, at once where the socket takes it, and no more kept than there is room for."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.server import outbox
from offhook.server.outbox import Outbox


class Socket:
    """The other side reads while it is `open`. What is sent through it `waits` for that, as with a server; what is
    written at once goes past whoever waits."""

    def __init__(self) -> None:
        self.taken: list[Any] = []
        self.at_once = 0
        self.open = asyncio.Event()
        self.open.set()

    def write(self, text: str) -> bool:
        if not self.open.is_set():
            return False
        self.taken.append(text)
        self.at_once += 1
        return True

    async def send(self, message: Any) -> None:
        await self.open.wait()
        self.taken.append(message.get("text", message.get("code")))


@given(st.lists(st.sampled_from(["put", "put", "block", "open", "turn"]), max_size=30), st.booleans())
def test_everything_is_sent_in_order(story: list[str], short_cut: bool) -> None:
    async def scenario() -> None:
        socket = Socket()
        box = Outbox(socket.send, socket.write if short_cut else None)
        writer, put = asyncio.create_task(box.run()), 0
        for step in story:
            if step == "put":
                box.put(str(put))
                put += 1
            elif step == "turn":
                await asyncio.sleep(0)
            else:
                (socket.open.clear if step == "block" else socket.open.set)()
        box.close(1001)
        box.put("too late")
        socket.open.set()
        await writer
        assert socket.taken == [*map(str, range(put)), 1001]

    asyncio.run(scenario())


def test_what_the_socket_takes_needs_no_task() -> None:
    async def scenario() -> None:
        socket = Socket()
        box = Outbox(socket.send, socket.write)
        box.put("one")
        socket.open.clear()
        box.put("two")
        socket.open.set()
        box.put("three")
        assert (socket.taken, socket.at_once) == (["one"], 1)
        box.close()
        await box.run()
        assert socket.taken == ["one", "two", "three", 1000]

    asyncio.run(scenario())


def test_who_does_not_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "LIMIT", 1_000)

    async def scenario() -> None:
        socket = Socket()
        box = Outbox(socket.send, socket.write)
        writer = asyncio.create_task(box.run())
        socket.open.clear()
        for _ in range(10):
            box.put("x" * 100)
        await asyncio.sleep(0)
        assert not box.closed
        box.put("x")
        assert box.closed
        socket.open.set()
        await writer
        assert socket.taken == ["x" * 100, 1011], "the frame that was being sent, then the end"

    asyncio.run(scenario())


def test_a_socket_that_is_gone_ends_the_outbox() -> None:
    async def scenario() -> None:
        async def gone(message: Any) -> None:
            raise OSError

        box = Outbox(gone)
        box.put("one")
        await box.run()
        assert box.closed

    asyncio.run(scenario())
