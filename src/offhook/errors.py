"""What can go wrong, by whose fault it is. What we did wrong ourselves is an assertion instead."""

from enum import StrEnum


class OffhookError(Exception):
    """Base of every error that Offhook raises on purpose. Its text is one line: what is wrong and what to do."""


class ConfigurationError(OffhookError):
    """A setting, a key, a provider's name or an agent file is wrong. Commands print it and exit with 2."""


class CarrierError(OffhookError):
    """The carrier, or somebody who claims to be one, broke the protocol in a way that leaves no call to serve."""


class AudioFormatError(OffhookError):
    """Bytes that are not bare audio samples were about to be played."""


class Failure(StrEnum):
    """Why a provider's request failed; decides whether another try can help."""

    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    OVERLOADED = "overloaded"
    REFUSED = "refused"
    """The provider does not accept our key, model or request: trying again cannot help."""
    BROKEN = "broken"
    """An answer that makes no sense, or one that stops in the middle."""


KEY_REFUSED = (401, 403)
"""The HTTP statuses of servers that do not accept our key."""


class ProviderError(OffhookError):
    """A transcriber, language model or voice failed. `kind` says how; `retryable` whether the same request may be
    tried again. `status` is the HTTP status (0: there was none), `retry_after` how many seconds the server asks to be
    left alone for."""

    def __init__(self, kind: Failure, words: str, status: int = 0, retry_after: float | None = None) -> None:
        super().__init__(words)
        self.kind = kind
        self.status = status
        self.retry_after = retry_after

    @property
    def retryable(self) -> bool:
        return self.kind is not Failure.REFUSED
