"""The one-time tokens that the webhook gives to a stream, so that the stream is known to be of that very call."""

import hashlib
import math
import secrets
import time

from offhook.carrier.twilio.tokens import check, expires_at, mint


class Passes:
    """Issues and checks tokens; `server.slots.Slots` knows which are spent. With an auth token the secret is made from
    it, so that a token outlives a restart and holds in every process behind the same number."""

    def __init__(self, auth_token: str, ttl: float, secret: bytes) -> None:
        self._secret = hashlib.sha256(b"offhook stream " + auth_token.encode()).digest() if auth_token else secret
        self._ttl = ttl

    def issue(self, call_id: str) -> str:
        return mint(self._secret, call_id, math.ceil(time.time() + self._ttl), secrets.token_hex(8))

    def refuse(self, token: str, call_id: str) -> str | None:
        """Why a token does not admit a stream of this call, or None."""
        return check(self._secret, token, call_id, int(time.time()))

    def left(self, token: str) -> float:
        """For how many seconds a token that has been checked is still good."""
        return max(0.0, expires_at(token) - time.time())
