"""The one-time tokens that the webhook gives to a stream, so that the stream is known to be of that very call."""

import hashlib
import math
import secrets
import time

from offhook.carrier.twilio.tokens import SpentTokens, check, expires_at, mint


class Passes:
    """Issues and takes tokens. With an auth token the secret is made from it, so that a token outlives a restart and
    holds in every process behind the same number; without one it is made up."""

    def __init__(self, auth_token: str, ttl: float) -> None:
        self._secret = hashlib.sha256(b"offhook stream " + auth_token.encode()).digest()
        if not auth_token:
            self._secret = secrets.token_bytes(32)
        self._ttl = ttl
        self._spent = SpentTokens()

    def issue(self, call_id: str) -> str:
        return mint(self._secret, call_id, math.ceil(time.time() + self._ttl), secrets.token_hex(8))

    def take(self, token: str, call_id: str) -> str | None:
        """Why a token does not admit a stream of this call, or None; it admits no second one."""
        now = int(time.time())
        if refusal := check(self._secret, token, call_id, now):
            return refusal
        return None if self._spent.spend(token, expires_at(token), now) else "used before"
