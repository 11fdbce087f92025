"""The one-time token that ties a stream to the webhook it came from. Pure: time and nonce are arguments.

A signature on the handshake proves Twilio; the token proves that *this* stream belongs to a call that we answered a
moment ago. It travels as a `<Parameter>`, so it is seen only once the stream has started: nothing that costs money may
begin before it has been checked.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from enum import StrEnum
from heapq import heappop, heappush

PARAMETER = "offhook.token"
"""The custom parameter that carries it."""

_FORM = re.compile(r"([0-9]{1,12})\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,172})\.([A-Za-z0-9_-]{43})", re.ASCII)
"""When it expires, nonce, call, proof."""


class Refusal(StrEnum):
    """Why a token is not accepted."""

    MALFORMED = "malformed"
    FORGED = "forged"
    EXPIRED = "expired"
    OTHER_CALL = "other_call"


def mint(secret: bytes, call_id: str, expires_at: int, nonce: str) -> str:
    """A token for one call, good until `expires_at` (seconds, of whichever clock `check` is given). `nonce` is up to 64
    URL-safe characters that no other token has."""
    assert secret, "a token needs a secret"
    body = f"{expires_at}.{nonce}.{_base64(call_id.encode())}"
    token = f"{body}.{_proof(secret, body)}"
    assert _FORM.fullmatch(token), "the call's id or the nonce does not fit a token"
    return token


def check(secret: bytes, token: str, call_id: str, now: int) -> Refusal | None:
    """Why this token does not admit this call, or None. Whether it was used before, `SpentTokens` knows."""
    parts = _FORM.fullmatch(token)
    if parts is None:
        return Refusal.MALFORMED
    body, _, proof = token.rpartition(".")
    if not hmac.compare_digest(_proof(secret, body), proof):
        return Refusal.FORGED
    if now >= int(parts[1]):
        return Refusal.EXPIRED
    return None if parts[3] == _base64(call_id.encode("utf-8", "replace")) else Refusal.OTHER_CALL


def expires_at(token: str) -> int:
    """When a token that has been checked expires."""
    return int(token.partition(".")[0])


class SpentTokens:
    """The tokens that have been used, until they expire. Full, it refuses: better a lost call than a stolen one."""

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._tokens: set[str] = set()
        self._by_expiry: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._tokens)

    def spend(self, token: str, expires_at: float, now: float) -> bool:
        """Whether this is the token's first use, and it is still good."""
        while self._by_expiry and self._by_expiry[0][0] <= now:
            self._tokens.discard(heappop(self._by_expiry)[1])
        if token in self._tokens or expires_at <= now or len(self._tokens) >= self._most:
            return False
        self._tokens.add(token)
        heappush(self._by_expiry, (expires_at, token))
        return True


def _proof(secret: bytes, body: str) -> str:
    return _base64(hmac.digest(secret, body.encode("ascii"), "sha256"))


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
