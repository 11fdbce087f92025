"""OpenAI's realtime WebSockets: how to connect, and what goes wrong with them in our words."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import msgspec

from offhook.errors import Failure
from offhook.providers.openai_client import Account, OpenAIError

_GOODBYE = 1.0
"""Seconds that the server may take to agree to a close."""
_POLICY = 1008
"""The close code of servers that do not like our key or what we send: trying again cannot help."""


class Wire:
    """A connection. `send` and `receive` raise OpenAIError."""

    def __init__(self, connection: Any, account: Account, name: str) -> None:
        self._connection, self._account, self._name = connection, account, name

    async def send(self, event: Mapping[str, Any]) -> None:
        """One event of ours."""
        with failures(self._account, self._name):
            await self._connection.send_raw(msgspec.json.encode(event).decode())

    async def receive(self) -> bytes:
        """One event of the server's."""
        with failures(self._account, self._name):
            message: bytes = await self._connection.recv_bytes()
        return message


@asynccontextmanager
async def connected(account: Account, name: str, query: Mapping[str, str]) -> AsyncIterator[Wire]:
    """A new connection to `/realtime?query`. `close` is awaited for a bounded time. Raises OpenAIError."""
    with failures(account, name):
        async with asyncio.timeout(account.timeout):
            connecting = account.client().realtime.connect(
                extra_query=dict(query),
                websocket_connection_options={"close_timeout": _GOODBYE, "open_timeout": None},
            )
            connection = await connecting.enter()
    try:
        yield Wire(connection, account, name)
    finally:
        await connection.close()


@contextmanager
def failures(account: Account, name: str) -> Iterator[None]:
    """What the WebSocket library raises, in our words."""
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

    try:
        with account.failures(name):
            yield
    except TimeoutError:
        raise OpenAIError(Failure.TIMEOUT, f"{name}: no connection within {account.timeout:g} s") from None
    except InvalidStatus as error:
        raise account.refused(name, error.response.status_code, {}, error.response.headers) from None
    except ConnectionClosed as error:
        kind = Failure.REFUSED if error.rcvd is not None and error.rcvd.code == _POLICY else Failure.BROKEN
        raise OpenAIError(kind, f"{name}: the connection was lost ({error.rcvd or 'without a word'})") from None
    except (OSError, InvalidHandshake) as error:
        raise OpenAIError(Failure.UNREACHABLE, f"{name}: {type(error).__name__}") from None
