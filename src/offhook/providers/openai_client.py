"""OpenAI's SDK for all our providers: one client per event loop, key and address, and its failures in our words.

Any server that speaks OpenAI's interfaces will do: the SDK reads `OPENAI_BASE_URL` and `OPENAI_API_KEY` itself where
a provider is given neither. It is imported when the first request is made. Its own retries are off, because trying
the next provider is better than trying the same one again.
"""

import asyncio
import functools
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from offhook.errors import AudioFormatError, ConfigurationError, Failure, ProviderError

TIMEOUT = 5.0
"""Seconds that a server may take to accept a connection, to begin its answer, and between two pieces of it."""
_IDLE = 60.0
"""Seconds that an unused connection is kept: longer than a caller talks, so that a turn begins without a TLS
handshake."""
_LINGER = 0.1
"""Seconds to wait for the end of a stream that has said it is done, so that its connection can serve again."""
_STATUS = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "server_error": 500,
    "session_expired": 500,
}
"""What the codes of errors that come without a status are like."""
_NO_KEY = "OPENAI_API_KEY is not set (a compatible server that asks for no key takes any word)"


class OpenAIError(ProviderError):
    """A failed request to OpenAI, or to who speaks as they do."""


@dataclass(eq=False)
class _Shared:
    """A client, and who uses it."""

    client: Any
    holders: set["Account"] = field(default_factory=set)


_clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str | None, str | None], _Shared]] = (
    WeakKeyDictionary()
)


class Account:
    """Where to ask, as whom, and how long to wait (`timeout`, in seconds)."""

    def __init__(self, api_key: str | None = None, base_url: str | None = None, timeout: float = TIMEOUT) -> None:
        self.timeout = timeout
        self._given = api_key, base_url

    def client(self) -> Any:
        """The `AsyncOpenAI` of the running event loop. Raises ConfigurationError where there is no key."""
        clients = _clients.setdefault(asyncio.get_running_loop(), {})
        if self._given not in clients:
            clients[self._given] = _Shared(_client(*self._given))
        shared = clients[self._given]
        shared.holders.add(self)
        return shared.client

    async def aclose(self) -> None:
        """Let go of the client; the last to do so closes its connections."""
        clients = _clients.get(asyncio.get_running_loop(), {})
        shared = clients.get(self._given)
        if shared is None:
            return
        shared.holders.discard(self)
        if not shared.holders:
            del clients[self._given]
            await shared.client.close()

    async def ready(self, model: str, what: str) -> None:
        """Check the key and the model. A compatible server need not list its models."""
        try:
            with self.failures(what):
                await self.client().models.retrieve(model, timeout=self.timeout)
        except OpenAIError as error:
            if error.status in (401, 403):
                raise ConfigurationError(
                    f"{what}: the server does not accept OPENAI_API_KEY ({error.status})"
                ) from None
            if error.status != 404:
                raise
            await self._require_listed(model, what)

    async def _require_listed(self, model: str, what: str) -> None:
        """Tell an unknown model from a server that has no list: the one has others, the other says 404 again."""
        try:
            with self.failures(what):
                page = await self.client().models.list(timeout=self.timeout)
        except OpenAIError as error:
            if error.status in (404, 405):
                return
            raise
        known = {each.id for each in page.data or ()}
        if known and model not in known:
            raise ConfigurationError(f"{what}: the server has no model {model!r}, or not for this OPENAI_API_KEY")

    @contextmanager
    def failures(self, what: str) -> Iterator[None]:
        """Turn whatever the SDK and what lies below it raise into an `OpenAIError`; `what` was asked."""
        import httpx2
        import openai

        try:
            yield
        except (openai.APITimeoutError, httpx2.TimeoutException):
            raise OpenAIError(Failure.TIMEOUT, f"{what}: nothing came for {self.timeout:g} s") from None
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            raise OpenAIError(Failure.UNREACHABLE, f"{what}: {self._clean(cause)}") from None
        except openai.APIStatusError as error:
            raise self.refused(what, error.status_code, error.body, error.response.headers) from None
        except httpx2.HTTPError as error:
            raise OpenAIError(Failure.BROKEN, f"{what}: the answer breaks off ({self._clean(error)})") from None
        except (msgspec.DecodeError, AudioFormatError, openai.APIError, ValueError) as error:
            raise OpenAIError(Failure.BROKEN, f"{what}: the answer makes no sense ({self._clean(error)})") from None

    def said(self, what: str, error: Any) -> OpenAIError:
        """The failure that an error in the midst of a stream or session stands for."""
        code, message = _code(error)
        kind = error.get("type") if isinstance(error, dict) else ""
        status = _STATUS.get(code, 400 if kind == "invalid_request_error" else 500)
        return OpenAIError(_kind(status, code), f"{what}: {code or kind or 'error'}, {self._clean(message)}")

    def refused(self, what: str, status: int, body: Any, headers: Any) -> OpenAIError:
        """The failure that an answer with an error status stands for. What is said of a key is not repeated."""
        code, message = _code(body)
        words = f"{what}: {status} {code}".rstrip()
        if message and status not in (401, 403):
            words += f", {self._clean(message)}"
        return OpenAIError(_kind(status, code), words, status, _seconds(headers.get("retry-after")))

    def _clean(self, words: object) -> str:
        """One line without the key, which some servers repeat."""
        line = " ".join(str(words).split())[:200] or type(words).__name__
        shared = _clients.get(asyncio.get_running_loop(), {}).get(self._given)
        key = shared.client.api_key if shared else self._given[0]
        return re.sub(r"\bsk-\S+", "***", line.replace(key, "***") if key else line)


def _client(api_key: str | None, base_url: str | None) -> Any:
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=1_000, max_keepalive_connections=200, keepalive_expiry=_IDLE)
    try:
        client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=base_url,
            max_retries=0,
            timeout=TIMEOUT,
            http_client=openai.DefaultAsyncHttpxClient(limits=limits, verify=_certificates()),
        )
    except openai.OpenAIError:
        raise ConfigurationError(_NO_KEY) from None
    if not client.api_key:
        raise ConfigurationError(_NO_KEY)
    return client


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Whom we trust, read once: it takes 45 ms."""
    import httpx2

    return httpx2.create_ssl_context()


def _code(error: Any) -> tuple[str, str]:
    """Code and message of an error as OpenAI describes them."""
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("code") or ""), str(error.get("message") or "")


def _kind(status: int, code: str) -> Failure:
    """A quota that is used up does not come back by waiting; a gateway's 502 and 504 mean that nobody is behind it."""
    match status:
        case 408:
            return Failure.TIMEOUT
        case 429 if code == "insufficient_quota":
            return Failure.REFUSED
        case 429 | 503 | 529:
            return Failure.OVERLOADED
        case 502 | 504:
            return Failure.UNREACHABLE
        case _ if status >= 500:
            return Failure.BROKEN
    return Failure.REFUSED


def _seconds(header: str | None) -> float | None:
    """`Retry-After`; its other form, a date, is not used by those who limit rates."""
    try:
        return float(header) if header else None
    except ValueError:
        return None


async def sse(response: Any) -> AsyncGenerator[bytes, None]:
    """The data of each server-sent event of a streamed response.

    https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
    """
    rest = b""
    data: list[bytes] = []
    async with aclosing(response.iter_bytes()) as chunks:
        async for chunk in chunks:
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    data.append(line[5:].strip())
                elif data and not line.rstrip(b"\r"):
                    yield b"\n".join(data)
                    data.clear()


async def finish(stream: AsyncIterator[bytes]) -> None:
    """Read a stream that has said it is done to its end, but do not insist."""
    import httpx2

    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_LINGER):
            async for _ in stream:
                pass
