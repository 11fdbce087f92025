"""The local server with a model that transcribes while it hears, as gpt-live-transcribe and gpt-realtime-whisper do:
deltas come before the commit. https://developers.openai.com/api/docs/guides/realtime-transcription
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from offhook.audio import mulaw
from offhook.simulator.openai_server import LocalOpenAI, Script
from offhook.simulator.openai_server.realtime import RATE, Session

_WORDS = "conversation.item.input_audio_transcription"


class LiveOpenAI(LocalOpenAI):
    """What is heard is told `lag` seconds later; what is committed, as the script says."""

    def __init__(self, script: Script, lag: float = 0.0) -> None:
        super().__init__(script)
        self.lag = lag

    def _kind_of_session(self, asked: Mapping[str, str]) -> Any:
        def session(*given: Any) -> LiveSession:
            return LiveSession(self.lag, *given)

        return session


class LiveSession(Session):
    """One socket."""

    def __init__(self, lag: float, *given: Any) -> None:
        super().__init__(*given)
        self._lag = lag
        self._told: dict[str, str] = {}

    async def _handle(self, event: dict[str, Any]) -> None:
        await super()._handle(event)
        if event.get("type") == "input_audio_buffer.append":
            task = asyncio.create_task(self._overheard(self._next_item(), bytes(self._audio)))
            self._work.add(task)
            task.add_done_callback(self._work.discard)

    def _next_item(self) -> str:
        return f"item_{self._request.number}_{len(self._request.asked['commits']) + 1}"

    async def _overheard(self, item: str, audio: bytes) -> None:
        await asyncio.sleep(self._lag)
        if item == self._next_item() and self._audio.startswith(audio):
            await self._tell(item, self._script.heard(0, RATE, mulaw.decode(audio)))

    async def _tell(self, item: str, text: str) -> None:
        told = self._told.get(item, "")
        if text.startswith(told) and text != told:
            self._told[item] = text
            await self._say(f"{_WORDS}.delta", item_id=item, content_index=0, delta=text[len(told) :])

    async def _complete(self, item: str, text: str) -> None:
        await self._tell(item, text)
        await self._say(f"{_WORDS}.completed", item_id=item, content_index=0, transcript=text)
