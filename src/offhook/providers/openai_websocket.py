"""OpenAI's realtime WebSockets: how to connect, and what goes wrong with them in our words."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from offhook.errors import Failure
from offhook.providers.openai_client import Account, OpenAIError
from offhook.providers.openai_http import trusted
from offhook.providers.openai_interface import Access, ClientError, untrusted
from offhook.version import VERSION

_GOODBYE = 1.0
"""Seconds that the server may take to agree to a close."""
_LARGEST = 16 * 2**20
"""Bytes of one event. Sound comes in pieces of a few thousand; a whole response with its text is well below this."""
_POLICY = 1008
"""The close code of servers that do not like our key or what we send: trying again cannot help."""


class Wire:
    """A connection. `send` and `receive` raise OpenAIError."""

    def __init__(self, connection: Any, account: Account, name: str) -> None:
        self._connection, self._account, self._name = connection, account, name

    async def send(self, event: Mapping[str, Any]) -> None:
        """One event of ours."""
        with failures(self._account, self._name):
            await self._connection.send(msgspec.json.encode(event).decode())

    async def receive(self) -> bytes:
        """One event of the server's."""
        with failures(self._account, self._name):
            message: bytes = await self._connection.recv(decode=False)
        return message


@asynccontextmanager
async def connected(account: Account, name: str, query: Mapping[str, str]) -> AsyncIterator[Wire]:
    """A new connection to `/realtime?query`. `close` is awaited for a bounded time. Raises OpenAIError."""
    with failures(account, name):
        async with asyncio.timeout(account.timeout):
            connection = await _connect(account.client().access, query)
    try:
        yield Wire(connection, account, name)
    finally:
        await connection.close()


async def _connect(access: Access, query: Mapping[str, str]) -> Any:
    """The key goes where it is meant to go: redirects are not followed. Raises also ClientError."""
    from websockets.asyncio.client import connect

    class Connect(connect):
        def process_redirect(self, exc: Exception) -> Exception:
            return exc

    address = urlsplit(access.base_url)
    scheme = {"http": "ws", "https": "wss"}.get(address.scheme, address.scheme)
    asked = "&".join(part for part in (address.query, urlencode(query)) if part)
    connecting = Connect(
        address._replace(scheme=scheme, path=f"{address.path}realtime", query=asked).geturl(),
        additional_headers={**access.headers, "Authorization": f"Bearer {access.key}"},
        user_agent_header=f"offhook/{VERSION}",
        compression=None,
        max_size=_LARGEST,
        open_timeout=None,
        close_timeout=_GOODBYE,
        ssl=trusted() if scheme == "wss" else None,
    )
    try:
        return await connecting
    except ssl.SSLCertVerificationError as error:
        raise ClientError(Failure.UNREACHABLE, untrusted(address.netloc, error)) from None


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
        words = account.clean(error.rcvd or "without a word")
        raise OpenAIError(kind, f"{name}: the connection was lost ({words})") from None
    except (OSError, InvalidHandshake) as error:
        raise OpenAIError(Failure.UNREACHABLE, f"{name}: {type(error).__name__}") from None
