"""OpenAI's realtime models: one model in place of ear, mind and voice."""

from typing import Any
from weakref import WeakSet

from offhook.providers.openai_client import TIMEOUT, Account
from offhook.providers.openai_websocket import connected
from offhook.providers.speech.openai_events import Options
from offhook.providers.speech.openai_session import RENEWAL, OpenAISpeechSession, agree
from offhook.providers.speech_interface import Briefing, SpeechModel

MODEL = "gpt-realtime"
VOICE = "marin"
TRANSCRIBER = "gpt-4o-mini-transcribe"


class OpenAISpeech:
    """`voice` is one of alloy, ash, ballad, coral, echo, sage, shimmer, verse, marin and cedar; `transcriber` writes
    down what the caller says; `parameters` are more fields of the session, as `max_output_tokens=500`."""

    def __init__(
        self,
        model: str = MODEL,
        *,
        voice: str = VOICE,
        transcriber: str = TRANSCRIBER,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        renewal: float = RENEWAL,
        **parameters: Any,
    ) -> None:
        self._options = Options(model, voice, transcriber, parameters)
        self._account = Account(api_key, base_url, timeout)
        self._renewal = renewal
        self._sessions: WeakSet[OpenAISpeechSession] = WeakSet()

    def session(self, briefing: Briefing) -> OpenAISpeechSession:
        session = OpenAISpeechSession(self._account, self._options, briefing, self._renewal)
        self._sessions.add(session)
        return session

    async def ready(self) -> None:
        """Raises ConfigurationError, or OpenAIError where no conversation can be had."""
        name = f"openai/{self._options.model}"
        await self._account.ready(self._options.model, name)
        with self._account.admitted(name):
            async with connected(self._account, name, {"model": self._options.model}) as wire:
                await agree(wire, self._account, self._options, Briefing())

    async def aclose(self) -> None:
        for session in list(self._sessions):
            await session.aclose()
        await self._account.aclose()


def speech(model: str) -> SpeechModel:
    """The provider `openai/MODEL`."""
    return OpenAISpeech(model or MODEL)
