"""Our OpenAI providers against the local server: how to make one, what to ask it, and how to read all it says."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from offhook.conversation.expectation import Expectation
from offhook.conversation.messages import Message, Role
from offhook.providers.interfaces import Conversation, Utterance
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.models.openai_responses import OpenAIResponsesModel
from offhook.providers.transcribers.openai import OpenAITranscriber
from offhook.providers.transcribers.openai_realtime import RealtimeTranscriber
from offhook.providers.voices.openai import OpenAIVoice
from offhook.simulator.openai_server import LocalOpenAI, Stage

KEY = "sk-a-secret-of-ours"
LOUD = b"\x20"


def utterance(seconds: float = 1.0, keywords: tuple[str, ...] = (), language: str = "") -> Utterance:
    return Utterance(LOUD * round(8_000 * seconds), Expectation(keywords=keywords), language)


def talk(*users: str) -> Conversation:
    return Conversation(tuple(Message(Role.USER, user) for user in users))


@dataclass(frozen=True)
class Subject:
    """One of our providers, which stage of the server it uses, and a question for it."""

    name: str
    stage: Stage
    make: Callable[..., Any]
    ask: Callable[[Any], AsyncIterator[Any]]

    def on(self, server: LocalOpenAI, timeout: float = 5.0) -> Any:
        return self.make(api_key=KEY, base_url=server.base_url, timeout=timeout)


SUBJECTS = [
    Subject(
        "upload",
        Stage.TRANSCRIPTION,
        lambda **given: OpenAITranscriber("gpt-4o-transcribe", **given),
        lambda ear: cast(AsyncIterator[Any], ear.transcribe(utterance())),
    ),
    Subject(
        "whisper",
        Stage.TRANSCRIPTION,
        lambda **given: OpenAITranscriber("whisper-1", **given),
        lambda ear: cast(AsyncIterator[Any], ear.transcribe(utterance())),
    ),
    Subject(
        "realtime",
        Stage.REALTIME,
        lambda **given: RealtimeTranscriber(**given),
        lambda ear: cast(AsyncIterator[Any], ear.transcribe(utterance())),
    ),
    Subject(
        "chat",
        Stage.CHAT,
        lambda **given: OpenAIModel("gpt-4o-mini", **given),
        lambda mind: cast(AsyncIterator[Any], mind.reply(talk("hello"))),
    ),
    Subject(
        "responses",
        Stage.RESPONSES,
        lambda **given: OpenAIResponsesModel("gpt-4o-mini", **given),
        lambda mind: cast(AsyncIterator[Any], mind.reply(talk("hello"))),
    ),
    Subject(
        "voice",
        Stage.SPEECH,
        lambda **given: OpenAIVoice(**given),
        lambda voice: cast(AsyncIterator[Any], voice.speak("one two three four")),
    ),
]


async def drain(stream: AsyncIterator[Any]) -> list[Any]:
    """All that a stream yields."""
    async with aclosing(cast(Any, stream)) as items:
        return [item async for item in items]
