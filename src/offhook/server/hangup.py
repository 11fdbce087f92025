"""Ends calls at Twilio over REST, which is the only way to end one without a further word to the caller.

Closing the socket alone makes Twilio go on with the TwiML after `</Connect>`: the spoken fallback that is meant for a
server that has died.
"""

import asyncio
import logging
from typing import Any

from offhook.settings import Settings

logger = logging.getLogger("offhook.server")

PATIENCE = 3.0
"""Seconds that Twilio's REST interface may take. It takes about 0.2."""
GONE = 404
"""The call has ended already (Twilio's error 20404): what was wanted."""


class HangUps:
    """Twilio's REST interface, as far as calls are ended by it. The SDK blocks, so it is used in threads."""

    def __init__(self, settings: Settings, http: Any = None) -> None:
        self._account = settings.twilio_account_sid
        self._token = settings.twilio_auth_token.get_secret_value()
        self._http = http

    async def prepare(self) -> None:
        """Import the SDK's client ahead of the first call: that takes up to half a second."""
        if self._token:
            await asyncio.to_thread(self._client, "AC")

    async def hang_up(self, account_id: str, call_id: str) -> None:
        """End a call, if there is a token to do it with. Never raises: the socket is closed afterwards in any case."""
        if not self._token:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.to_thread(self._complete, account_id, call_id)
        except TimeoutError:
            logger.warning("Twilio did not end call %s within %g s", call_id, PATIENCE)

    def _complete(self, account_id: str, call_id: str) -> None:
        from twilio.base.exceptions import TwilioException

        try:
            self._client(account_id).calls(call_id).update(status="completed")
        except (TwilioException, OSError) as error:
            if getattr(error, "status", None) != GONE:
                logger.warning("Twilio would not end call %s: %s", call_id, error)

    def _client(self, account_id: str) -> Any:
        from twilio.http.http_client import TwilioHttpClient
        from twilio.rest import Client

        self._http = self._http or TwilioHttpClient(timeout=PATIENCE)
        return Client(self._account or account_id, self._token, account_id, http_client=self._http)
