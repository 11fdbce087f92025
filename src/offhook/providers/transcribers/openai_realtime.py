"""OpenAI's transcription over a WebSocket that stays open: no upload, no new connection for each turn."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.openai_client import TIMEOUT, Account
from offhook.providers.transcribers.openai_prompt import hint
from offhook.providers.transcribers.openai_session import RENEWAL, WITHOUT_PROMPT, TranscriptionSession
from offhook.providers.transcribers.openai_socket import Hints, connected

MODEL = "gpt-4o-transcribe"
_KEPT = 8
"""Idle sessions that are kept open."""


class RealtimeTranscriber:
    """Whole utterances over sessions that are kept and used again; `listen` gives a session of one's own, for audio
    as it comes."""

    def __init__(
        self,
        model: str = MODEL,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        renewal: float = RENEWAL,
    ) -> None:
        self._model = model
        self._renewal = renewal
        self._account = Account(api_key, base_url, timeout)
        self.name = f"openai/realtime:{model}"
        self._idle: list[TranscriptionSession] = []
        self._busy: set[TranscriptionSession] = set()

    def listen(self, language: str = "", prompt: str = "") -> TranscriptionSession:
        """A new session. Whoever asks for it closes it."""
        return TranscriptionSession(self._account, self._hints(language, prompt), self.name, self._renewal)

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        session = self._idle.pop() if self._idle else self.listen()
        self._busy.add(session)
        try:
            session.hints = self._hints(utterance.language, hint(utterance), utterance.expectation.keywords)
            session.append(utterance.mulaw)
            async with aclosing(session.transcripts(session.commit())) as transcripts:
                async for transcript in transcripts:
                    yield transcript
        finally:
            self._busy.discard(session)
            if session.refused is None and len(self._idle) < _KEPT:
                self._idle.append(session)
            else:
                await session.aclose()

    async def ready(self) -> None:
        """Raises ConfigurationError, or OpenAIError where no session can be had."""
        await self._account.ready(self._model, self.name)
        with self._account.admitted(self.name):
            async with connected(self._account, self._hints("", ""), self.name):
                pass

    async def aclose(self) -> None:
        for session in [*self._idle, *self._busy]:
            await session.aclose()
        self._idle.clear()
        await self._account.aclose()

    def _hints(self, language: str, prompt: str, keywords: tuple[str, ...] = ()) -> Hints:
        takes = not self._model.startswith(WITHOUT_PROMPT)
        return Hints(self._model, language, prompt, keywords) if takes else Hints(self._model, language)
