"""A WebSocket client that costs next to nothing: whole text frames out and in, and only what a server may send.

Sans the safety of a real one: its masks are zeros, which a server undoes like any other (RFC 6455, 5.3 asks for
unpredictable ones to protect proxies). That makes a message one call of `write`.
"""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable
from random import Random
from typing import cast
from urllib.parse import urlsplit

from offhook.errors import CarrierError

_TEXT, _CLOSE, _PING = 0x1, 0x8, 0x9
_FIN = 0x80
_HANDSHAKE_LIMIT = 15.0


def frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame of a client."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, 0x80 | size, 0, 0, 0, 0)) + payload
    assert size < 65_536, "longer than any message of a carrier"
    return bytes((_FIN | opcode, 0x80 | 126, size >> 8, size & 0xFF, 0, 0, 0, 0)) + payload


class Frames:
    """Cuts what a server sends into (opcode, payload). Raises CarrierError for fragments, which no server needs for
    the short messages of a call."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        data = self._rest + data
        found, at = [], 0
        while len(data) - at >= 2:
            opcode, size, begin = data[at], data[at + 1] & 0x7F, at + 2
            if size >= 126:
                begin += 2 if size == 126 else 8
                size = int.from_bytes(data[at + 2 : begin])
            if len(data) < begin + size:
                break
            if not opcode & _FIN:
                raise CarrierError("the server sent a fragment")
            found.append((opcode & 0x0F, data[begin : begin + size]))
            at = begin + size
        self._rest = data[at:]
        return found


class Socket(asyncio.Protocol):
    """One connection. `on_text` is called for each text frame, `on_closed` once."""

    def __init__(self, request: bytes) -> None:
        self.on_text: Callable[[bytes], None] = lambda text: None
        self.on_closed: Callable[[], None] = lambda: None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._head = b""
        self._frames = Frames()

    def send(self, text: bytes) -> None:
        self._transport.write(frame(_TEXT, text))

    def close(self) -> None:
        """Say goodbye; what the server says to that is not waited for."""
        self._transport.write(frame(_CLOSE, b"\x03\xe8"))
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.opened.done():
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            status = head.split(b"\r\n", 1)[0]
            if b" 101" not in status:
                self.opened.set_exception(CarrierError(f"the stream was refused (31920): {status.decode('latin-1')}"))
                self._transport.close()
                return
            self.opened.set_result(None)
        for opcode, payload in self._frames.feed(data):
            if opcode == _TEXT:
                self.on_text(payload)
            elif opcode == _PING:
                self._transport.write(frame(0xA, payload))
            elif opcode == _CLOSE:
                self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(CarrierError("the server closed the connection during the handshake (31920)"))
        self.on_closed()


async def connect(url: str, headers: dict[str, str], random: Random) -> Socket:
    """Open a WebSocket. Raises CarrierError."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    lines = [
        f"GET {parts.path or '/'}{'?' + parts.query if parts.query else ''} HTTP/1.1",
        f"Host: {parts.netloc}",
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"),
        f"Sec-WebSocket-Key: {b64encode(random.randbytes(16)).decode()}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    request = "\r\n".join([*lines, "", ""]).encode("latin-1")
    context = ssl.create_default_context() if secure else None
    try:
        async with asyncio.timeout(_HANDSHAKE_LIMIT):
            loop = asyncio.get_running_loop()
            _, socket = await loop.create_connection(lambda: Socket(request), host, port, ssl=context)
            await socket.opened
    except (OSError, TimeoutError) as error:
        raise CarrierError(f"nobody answers at {url} (31901): {error or 'timed out'}") from None
    return socket
