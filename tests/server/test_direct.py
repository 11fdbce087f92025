"""The media protocol's short cut: whatever a caller sends, and however it is cut, comes as uvicorn would have it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from offhook.server.direct import EXTENSION, MediaProtocol

REQUEST = (
    b"GET /s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
LONGEST = 1_000


class Wire(asyncio.Transport):
    """Takes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = False
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += data

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True


async def upgraded(app: Any) -> tuple[MediaProtocol, Wire]:
    """A connection on which `app` has been asked."""
    config = uvicorn.Config(app, ws_max_size=LONGEST, log_config=None, lifespan="off", ws_ping_interval=None)
    config.load()
    protocol, wire = MediaProtocol(config, ServerState(), {}), Wire()
    protocol.connection_made(wire)
    protocol.data_received(REQUEST)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return protocol, wire


async def received(pieces: list[bytes], short_cut: bool) -> tuple[list[str | bytes], list[str], int | None]:
    """All messages in order, those that took the short cut, and the code with which the connection was closed."""
    messages: list[str | bytes] = []
    direct: list[str] = []
    codes: list[int] = []

    def take(text: str) -> None:
        direct.append(text)
        messages.append(text)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if short_cut:
            scope["extensions"][EXTENSION].direct = take
        while (message := await receive())["type"] == "websocket.receive":
            messages.append(message["bytes"] if message.get("text") is None else message["text"])
        codes.append(message["code"])

    protocol, wire = await upgraded(app)
    for piece in pieces:
        if wire.closing:
            break
        protocol.data_received(piece)
        await asyncio.sleep(0)
    protocol.connection_lost(None)
    await asyncio.gather(*protocol.tasks)
    return messages, direct, codes[0] if codes else None


async def idle(scope: Any, receive: Any, send: Any) -> None:
    """Accepts, and reads until the end."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        pass


def text(payload: bytes, opcode: Opcode = Opcode.TEXT, fin: bool = True) -> bytes:
    return Frame(opcode, payload, fin=fin).serialize(mask=True)


FRAMES = st.one_of(
    st.text(max_size=300).map(lambda words: text(words.encode())),
    st.binary(max_size=200).map(lambda data: text(data, Opcode.BINARY)),
    st.binary(max_size=20).map(lambda data: text(data, Opcode.PING)),
    st.text(max_size=20).map(lambda words: text(words.encode(), fin=False) + text(b"more", Opcode.CONT)),
    st.sampled_from(
        [
            text(b"\xff\xfe"),
            text(b"x" * LONGEST),
            text(b"x" * (LONGEST + 1)),
            text(b"", Opcode.CONT),
            text(b"begun", fin=False),
            text(b"\x03\xe8", Opcode.CLOSE),
            Frame(Opcode.TEXT, b"bare").serialize(mask=False),
        ]
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FRAMES, max_size=6), st.integers(1, 700))
def test_the_short_cut_changes_nothing(frames: list[bytes], size: int) -> None:
    data = b"".join(frames)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    short, _, code = asyncio.run(received(pieces, short_cut=True))
    long, direct, wanted = asyncio.run(received(pieces, short_cut=False))
    assert (short, code) == (long, wanted)
    assert direct == []


def test_text_takes_the_short_cut_in_whole_frames_and_in_parts() -> None:
    data = text(b"one") + text(b"two" * 100) + text(b"three")
    for size in (1, 7, 1_000):
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        messages, direct, _ = asyncio.run(received(pieces, short_cut=True))
        assert messages == direct == ["one", "two" * 100, "three"]


@given(st.one_of(st.text(max_size=200), st.sampled_from([125, 126, 65_535, 65_536]).map(lambda size: "x" * size)))
def test_what_is_written_at_once_is_what_uvicorn_writes(words: str) -> None:
    async def scenario() -> None:
        protocol, wire = await upgraded(idle)
        wire.written = b""
        assert protocol.write_text(words)
        at_once, wire.written = wire.written, b""
        await protocol.send({"type": "websocket.send", "text": words})
        assert at_once == wire.written
        protocol.connection_lost(None)
        await asyncio.gather(*protocol.tasks)

    asyncio.run(scenario())


async def slow(protocol: MediaProtocol, wire: Wire) -> None:
    protocol.pause_writing()


async def told_to_close(protocol: MediaProtocol, wire: Wire) -> None:
    protocol.data_received(text(b"\x03\xe8", Opcode.CLOSE))


async def closing(protocol: MediaProtocol, wire: Wire) -> None:
    await protocol.send({"type": "websocket.close", "code": 1000})


async def gone(protocol: MediaProtocol, wire: Wire) -> None:
    wire.close()


@pytest.mark.parametrize("trouble", [slow, told_to_close, closing, gone])
def test_nothing_is_written_where_uvicorn_would_wait_or_refuse(
    trouble: Callable[[MediaProtocol, Wire], Awaitable[None]],
) -> None:
    async def scenario() -> None:
        protocol, wire = await upgraded(idle)
        assert protocol.write_text("one")
        await trouble(protocol, wire)
        before = wire.written
        assert not protocol.write_text("two")
        assert wire.written == before
        protocol.resume_writing()
        assert protocol.write_text("three") is (trouble is slow)
        protocol.connection_lost(None)
        await asyncio.gather(*protocol.tasks)

    asyncio.run(scenario())
