"""A speech model that is no model: an ear, a mind and a voice, by a script, which keep a conversation of their own.

For tests in virtual time. What the model believes to have been said stands in `ScriptedSession.messages`.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from msgspec.structs import replace

from offhook.audio import mulaw
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall
from offhook.providers.interfaces import Conversation, Transcript, Usage, Utterance
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice
from offhook.providers.speech_interface import Briefing, SpokenPiece


@dataclass(eq=False, slots=True)
class Entry:
    """One step of a conversation. What was heard or replied has the `number` of its request, what was noted none."""

    message: Message
    number: int | None = None


class ScriptedSpeech:
    """The mind is asked with the model's own conversation. The voice must have a rate of 8 kHz."""

    def __init__(
        self,
        ear: ScriptedTranscriber | None = None,
        mind: ScriptedModel | None = None,
        voice: ScriptedVoice | None = None,
    ) -> None:
        self.ear = ear or ScriptedTranscriber()
        self.mind = mind or ScriptedModel()
        self.voice = voice or ScriptedVoice(delay=0.01)
        self.sessions: list[ScriptedSession] = []

    @property
    def running(self) -> int:
        """How many requests are being worked on."""
        return self.ear.running + self.mind.running + self.voice.running

    def session(self, briefing: Briefing) -> "ScriptedSession":
        self.sessions.append(ScriptedSession(self, briefing))
        return self.sessions[-1]

    async def ready(self) -> None:
        """Always ready."""

    async def aclose(self) -> None:
        """Nothing to let go of."""


class ScriptedSession:
    """A `SpeechSession`."""

    def __init__(self, model: ScriptedSpeech, briefing: Briefing) -> None:
        self.briefing = briefing
        self.entries: list[Entry] = []
        self.cuts: list[tuple[int, str]] = []
        """Samples and words that were heard of replies that were broken off."""
        self.forgotten = 0
        self.opened = self.closed = False
        self._model = model

    @property
    def messages(self) -> tuple[Message, ...]:
        """What the model believes to have been said."""
        system = (Message(Role.SYSTEM, self.briefing.instructions),) if self.briefing.instructions else ()
        return (*system, *(entry.message for entry in self.entries))

    def open(self) -> None:
        self.opened = True

    async def hear(self, number: int, utterance: Utterance) -> AsyncGenerator[Transcript, None]:
        entry = Entry(Message(Role.USER, "[not understood]"), number)
        self.entries.append(entry)
        async with aclosing(cast(Any, self._model.ear.transcribe(utterance))) as transcripts:
            async for transcript in transcripts:
                entry.message = Message(Role.USER, transcript.text)
                yield transcript

    async def reply(self, number: int) -> AsyncGenerator[SpokenPiece, None]:
        asked = Conversation(self.messages, self.briefing.tools)
        entry = Entry(Message(Role.ASSISTANT, ""), number)
        self.entries.append(entry)
        async with aclosing(cast(Any, self._model.mind.reply(asked))) as pieces:
            async for piece in pieces:
                said = entry.message
                if isinstance(piece, ToolCall):
                    entry.message = replace(said, calls=(*said.calls, piece))
                    yield piece
                else:
                    entry.message = replace(said, text=said.text + piece)
                    yield piece
                    async for sound in self._sound(piece):
                        yield sound
        yield Usage(len(asked.messages), len(entry.message.text.split()))

    async def speak(self, number: int, text: str) -> AsyncGenerator[bytes, None]:
        async for sound in self._sound(text):
            yield sound

    def cut(self, number: int, heard: int, words: str) -> None:
        self.cuts.append((heard, words))
        for entry in self._numbered(number):
            entry.message = replace(entry.message, text=words)

    def forget(self, number: int) -> None:
        for entry in self._numbered(number):
            self.entries.remove(entry)
            self.forgotten += 1

    def note(self, message: Message) -> None:
        place = len(self.entries)
        # What was said over us came after what we said.
        while message.role is Role.ASSISTANT and place and self._is_heard(self.entries[place - 1]):
            place -= 1
        self.entries.insert(place, Entry(message))

    async def aclose(self) -> None:
        self.closed = True

    def _numbered(self, number: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.number == number]

    def _is_heard(self, entry: Entry) -> bool:
        return entry.number is not None and entry.message.role is Role.USER

    async def _sound(self, text: str) -> AsyncIterator[bytes]:
        async with aclosing(cast(Any, self._model.voice.speak(text))) as pieces:
            async for pcm in pieces:
                yield mulaw.encode(np.frombuffer(pcm, "<i2"))
