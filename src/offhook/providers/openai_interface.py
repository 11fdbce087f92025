"""What our providers need of a client of OpenAI's interfaces, whichever library is below it."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, NamedTuple, Protocol

from offhook.errors import Failure
from offhook.values import Value

LARGEST = 8 * 2**20
"""Bytes of an answer that is read as a whole: a transcript, a list of models, what is wrong."""


class Access(Value, frozen=True):
    """Where to ask, and as whom. `base_url` ends with a slash; `headers` go with every request."""

    base_url: str
    key: str
    headers: Mapping[str, str]


class Question(NamedTuple):
    """What to ask for at a path: `fields` of ours, and `parameters` that go before them. With an `upload`, a WAV file,
    it is a form; otherwise it is JSON."""

    path: str
    fields: Mapping[str, Any]
    parameters: Mapping[str, Any]
    upload: bytes | None = None


class ClientError(Exception):
    """No answer, or one that breaks off. Its words are not fit to be shown: they may hold the key."""

    def __init__(self, kind: Failure, words: object) -> None:
        super().__init__(words)
        self.kind = kind


def untrusted(address: str, error: ssl.SSLCertVerificationError) -> str:
    """What is wrong where nobody vouches for who answers at `address`, and what to do about it."""
    return f"{address} has no certificate that is trusted: {error.verify_message} (SSL_CERT_FILE names more to trust)"


class StatusError(Exception):
    """An answer with an error status. `error` is what the server says of it."""

    def __init__(self, status: int, error: Any, headers: Mapping[str, str]) -> None:
        super().__init__(status)
        self.status, self.error, self.headers = status, error, headers


class Answer(Protocol):
    """A successful answer whose body is still to come. Raises ClientError."""

    @property
    def content_type(self) -> str: ...

    def pieces(self) -> AsyncGenerator[bytes, None]:
        """The body as it comes."""
        ...

    async def whole(self) -> bytes:
        """The body, up to `LARGEST` bytes."""
        ...


class Client(Protocol):
    """Waits `patience` seconds for a connection, for the beginning of an answer, and for each piece of it. Nothing is
    asked twice. Raises ClientError and StatusError."""

    @property
    def access(self) -> Access: ...

    def ask(self, question: Question, patience: float) -> AbstractAsyncContextManager[Answer]:
        """Whoever leaves before the answer is complete breaks the connection off."""
        ...

    async def model(self, name: str, patience: float) -> bytes:
        """What the server says of a model."""
        ...

    async def models(self, patience: float) -> bytes:
        """What the server says of all its models."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...
