"""A lean client of OpenAI's interfaces, on aiohttp: it sends bytes and hands on bytes.

It costs a small part of the SDK's processor time (`benchmarks/clients.py`), and much less to import.
"""

import asyncio
import functools
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import BytesIO
from typing import Any, cast
from urllib.parse import quote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec

from offhook.errors import Failure
from offhook.providers import openai_form
from offhook.providers.openai_interface import LARGEST, Access, ClientError, Question, StatusError, untrusted
from offhook.version import VERSION

_IDLE = 60.0
"""Seconds that an unused connection is kept: longer than a caller talks, so that a turn begins without a TLS
handshake."""
_CONNECTIONS = 1_000
_COMPLAINT = 64 * 1024
"""Bytes that are read of what is wrong."""


class HttpClient:
    """One pool of connections on the running event loop, which is made with the first request."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._session: Any = None

    @asynccontextmanager
    async def ask(self, question: Question, patience: float) -> AsyncIterator["HttpAnswer"]:
        fields = {**question.fields, **question.parameters}
        if question.upload is None:
            body, kind = msgspec.json.encode(fields), "application/json"
        else:
            body, kind = openai_form.form(fields, question.upload)
        async with self._answered("POST", question.path, patience, body, kind) as answer:
            yield answer

    async def model(self, name: str, patience: float) -> bytes:
        async with self._answered("GET", f"models/{quote(name, safe='')}", patience) as answer:
            return await answer.whole()

    async def models(self, patience: float) -> bytes:
        async with self._answered("GET", "models", patience) as answer:
            return await answer.whole()

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def _answered(
        self, method: str, path: str, patience: float, body: bytes = b"", kind: str = ""
    ) -> AsyncIterator["HttpAnswer"]:
        if self._session is None:
            self._session = _session(self.access)
        response = await self._begin(method, path, patience, body, kind)
        try:
            answer = HttpAnswer(response, patience)
            if not 200 <= response.status < 300:
                raise StatusError(response.status, await answer.complaint(), response.headers)
            yield answer
        finally:
            response.close()  # does nothing where the answer was complete: its connection is kept

    async def _begin(self, method: str, path: str, patience: float, body: bytes, kind: str) -> Any:
        """The answer as soon as its head is there. aiohttp does not limit how long a body takes to be sent. Redirects
        are not followed: aiohttp would take all headers there but `Authorization`, and a gateway's key is another."""
        whole = 2 * patience
        with _failures(Failure.UNREACHABLE, whole):
            async with asyncio.timeout(whole):
                with _failures(Failure.UNREACHABLE, patience):
                    return await self._session.request(
                        method,
                        _url(self.access.base_url, path),
                        # aiohttp warns of bytes by the megabyte; a file it sends piece by piece
                        data=BytesIO(body) if body else None,
                        headers={"Content-Type": kind} if body else None,
                        timeout=_limits(patience),
                        allow_redirects=False,
                    )


class HttpAnswer:
    """An `Answer`."""

    def __init__(self, response: Any, patience: float) -> None:
        self._response, self._patience = response, patience

    @property
    def content_type(self) -> str:
        return str(self._response.headers.get("Content-Type", ""))

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        with _failures(Failure.BROKEN, self._patience):
            async for piece in self._response.content.iter_any():
                yield piece

    async def whole(self) -> bytes:
        body = await self._up_to(LARGEST)
        if len(body) > LARGEST:
            raise ClientError(Failure.BROKEN, f"more than {LARGEST} bytes")
        return body

    async def complaint(self) -> Any:
        """What the server says is wrong. What it is goes without saying where that cannot be read."""
        try:
            said = msgspec.json.decode(await self._up_to(_COMPLAINT))
        except (ClientError, msgspec.DecodeError):
            return None
        return said.get("error", said) if isinstance(said, dict) else said

    async def _up_to(self, size: int) -> bytes:
        """All of it, or one byte more than `size`."""
        body = bytearray()
        with _failures(Failure.BROKEN, self._patience):
            async for piece in self._response.content.iter_any():
                body += piece
                if len(body) > size:
                    break
        return bytes(body[: size + 1])


@contextmanager
def _failures(kind: Failure, patience: float) -> Iterator[None]:
    """What aiohttp raises; `kind` is what it means that the connection is gone."""
    import aiohttp

    try:
        yield
    except TimeoutError:
        raise ClientError(Failure.TIMEOUT, f"nothing came for {patience:g} s") from None
    except aiohttp.ClientConnectorCertificateError as error:
        raise ClientError(kind, untrusted(f"{error.host}:{error.port}", cast(Any, error.os_error))) from None
    except aiohttp.ClientConnectorError as error:
        cause = error.os_error
        words = f"All connection attempts failed ({type(cause).__name__}: {cause.strerror or cause})"
        raise ClientError(kind, words) from None
    except aiohttp.ClientResponseError as error:  # of a proxy, or what is no HTTP
        raise ClientError(kind, error.message) from None
    except (aiohttp.ClientError, OSError) as error:
        raise ClientError(kind, error) from None


def _session(access: Access) -> Any:
    import aiohttp

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_IDLE, ssl=trusted()),
        headers={
            **access.headers,
            "Authorization": f"Bearer {access.key}",
            "User-Agent": f"offhook/{VERSION}",
            # Compressed tokens would cost both sides time, and wait for each other.
            "Accept-Encoding": "identity",
        },
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=_proxy(access.base_url),
    )


def _proxy(base_url: str) -> str | None:
    """What `HTTPS_PROXY` and its like say, looked up once: aiohttp would do it in a thread for every request, and take
    passwords from `.netrc` while it is there."""
    address = urlsplit(base_url)
    if proxy_bypass(address.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(address.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


@functools.lru_cache(maxsize=256)
def _url(base_url: str, path: str) -> Any:
    """A path of the server; a query of `base_url` stays at the end."""
    from yarl import URL

    base = urlsplit(base_url)
    return URL(base._replace(path=base.path + path).geturl(), encoded=True)


@functools.cache
def _limits(patience: float) -> Any:
    import aiohttp

    return aiohttp.ClientTimeout(total=None, connect=patience, sock_read=patience)


@functools.cache
def trusted() -> ssl.SSLContext | bool:
    """True: whom the system trusts. Where it trusts nobody, as Python from python.org on a Mac, whom Mozilla does."""
    system = ssl.get_default_verify_paths()
    if system.cafile or system.capath or sys.platform == "win32":
        return True
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
