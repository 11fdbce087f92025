"""Twilio's REST interface, as far as running calls are told by it what to do.

It ends calls: closing the socket alone makes Twilio ask what to do next, and where it does not ask, it goes on with the
TwiML after `</Connect>`, the spoken fallback that is meant for a server that has died. And it redirects those calls
whose TwiML is not ours, because Twilio will ask nobody about them.
"""

import asyncio
import logging
from typing import Any

from offhook.settings import Settings

logger = logging.getLogger("offhook.server")

PATIENCE = 3.0
"""Seconds that Twilio's REST interface may take. It takes about 0.2."""
GONE = 404
"""The call has ended already (Twilio's error 20404)."""


class Rest:
    """The SDK blocks, so it is used in threads. Nothing here raises: what did not work is logged."""

    def __init__(self, settings: Settings, http: Any = None) -> None:
        self._account = settings.twilio_account_sid
        self._token = settings.twilio_auth_token.get_secret_value()
        self._http = http

    @property
    def usable(self) -> bool:
        """Whether there is a token to use it with. The account is known from the stream, if not from the settings."""
        return bool(self._token)

    async def prepare(self) -> None:
        """Import the SDK's client ahead of the first call: that takes up to half a second."""
        if self.usable:
            await asyncio.to_thread(self._client, "AC")

    async def hang_up(self, account_id: str, call_id: str) -> bool:
        """End a call. Returns whether it has ended; that it was gone before counts too."""
        return await self._update(account_id, call_id, "end", GONE, status="completed")

    async def redirect(self, account_id: str, call_id: str, twiml: str) -> bool:
        """Have a call go on with this TwiML; its stream stops. Returns whether Twilio took it."""
        return await self._update(account_id, call_id, "redirect", None, twiml=twiml)

    async def _update(self, account_id: str, call_id: str, verb: str, forgiven: int | None, **what: str) -> bool:
        if not self.usable:
            return False
        try:
            async with asyncio.timeout(PATIENCE):
                complaint = await asyncio.to_thread(self._ask, account_id, call_id, forgiven, what)
        except TimeoutError:
            complaint = f"no answer within {PATIENCE:g} s"
        if complaint:
            logger.warning("Twilio did not %s call %s: %s", verb, call_id, complaint)
        return not complaint

    def _ask(self, account_id: str, call_id: str, forgiven: int | None, what: dict[str, str]) -> str:
        """What was wrong with it; empty if nothing."""
        from twilio.base.exceptions import TwilioException

        try:
            self._client(account_id).calls(call_id).update(**what)
        except (TwilioException, OSError) as error:
            return "" if forgiven and getattr(error, "status", None) == forgiven else str(error) or type(error).__name__
        return ""

    def _client(self, account_id: str) -> Any:
        from twilio.http.http_client import TwilioHttpClient
        from twilio.rest import Client

        self._http = self._http or TwilioHttpClient(timeout=PATIENCE)
        return Client(self._account or account_id, self._token, account_id, http_client=self._http)
