"""The built-in providers as subjects of the conformance suite."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

import numpy as np
from kit import speech
from numpy.typing import NDArray
from openai_kit import KEY
from streams import ScriptedListener

from offhook.conversation.expectation import Expectation
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Utterance
from offhook.providers.models.generator import GeneratorModel
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.models.openai_responses import OpenAIResponsesModel
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice, hum
from offhook.providers.speech.openai import OpenAISpeech
from offhook.providers.speech.scripted import ScriptedSpeech
from offhook.providers.transcribers.local import LocalTranscriber
from offhook.providers.transcribers.openai import OpenAITranscriber
from offhook.providers.transcribers.openai_realtime import RealtimeTranscriber
from offhook.providers.voices.local import LocalVoice
from offhook.providers.voices.openai import OpenAIVoice
from offhook.simulator.conformance import Questions, Streamed, Subject
from offhook.simulator.conformance.kinds import Provider, hiss
from offhook.simulator.openai_server import Fault, LocalOpenAI, Pace, Script, Stage, Trouble
from offhook.simulator.openai_server.script import Messages

GONE = "gone"
"""The server is not there any more."""


LONG = "6.0 seconds"
"""What is heard of the question that has a long answer."""


def words_in(rate: int, samples: NDArray[np.int16]) -> str:
    """Another transcript for another length."""
    return f"{len(samples) / rate:.1f} seconds"


def repeated(messages: Messages) -> str:
    """Another reply to another question; a long one to one that asks for it."""
    said = messages[-1].get("content")
    long = any(word in str(said) for word in ("long", LONG))
    return f"You said {said!r}." + " Once upon a time there was" * (10 if long else 0)


SCRIPT = Script(
    transcripts=words_in,
    replies=repeated,
    transcription=Pace(0.01, 0.005),
    reply=Pace(0.01, 0.002),
    speech=Pace(0.01, 0.0005),
    word_seconds=0.15,
)


class OpenAISubject(Subject):
    """One of our OpenAI providers, with a local server behind it."""

    troubles = {
        Trouble.REFUSE: Failure.UNREACHABLE,
        Trouble.HANG: Failure.TIMEOUT,
        Trouble.GARBAGE: Failure.BROKEN,
        Trouble.CLOSE: Failure.BROKEN,
        Trouble.UNAUTHORIZED: Failure.REFUSED,
        Trouble.OVERLOADED: Failure.OVERLOADED,
        Trouble.BROKEN: Failure.BROKEN,
        GONE: Failure.UNREACHABLE,
    }
    retry_after = 7.0
    secret = KEY

    def __init__(self, stage: Stage, kind: Callable[..., Provider], client: str, *, pooled: bool = False) -> None:
        super().__init__(lambda: kind(api_key=KEY, base_url=self.server.base_url))
        self.server = LocalOpenAI(SCRIPT)
        self._environment = patch.dict(os.environ, {"OFFHOOK_OPENAI_CLIENT": client, "OPENAI_API_KEY": ""})
        self._stage, self._kind, self._pooled = stage, kind, pooled
        self._gone = False

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        self._environment.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._environment.stop()
        await self.server.__aexit__(kind, error, trace)

    def make_impatient(self) -> Provider:
        return self._kind(api_key=KEY, base_url=self.server.base_url, timeout=0.1)

    def make_incomplete(self) -> Provider:
        return self._kind(base_url=self.server.base_url)

    async def inflict(self, trouble: str) -> None:
        if trouble == GONE:
            self._gone = True
            await self.server.__aexit__(None, None, None)
        else:
            faults = [Fault(stage, Trouble(trouble), seconds=7) for stage in (self._stage, Stage.MODELS)]
            self.server.script = Script(transcripts=words_in, replies=repeated, faults=faults)

    async def relieve(self) -> None:
        self.server.script = SCRIPT
        if self._gone:
            self._gone = False
            await self.server.__aenter__()

    def busy(self) -> int:
        """Sessions that are kept for the next utterance do no work."""
        running = self.server.requests.running
        counted = [request for request in running if request.stage is not Stage.REALTIME or not self._pooled]
        return len(counted) + sum(len(request.asked.get("responses", ())) for request in running)

    def connected(self) -> int:
        return self.server.connections

    def told(self) -> str:
        return str(self.server.requests.of(Stage.REALTIME)[-1].asked.get("prompt"))

    def believed(self) -> list[str]:
        return [item.text for item in self.server.requests.of(Stage.REALTIME)[-1].asked["items"]]


SHORT = Questions(hiss(0.2), hiss(0.25), hiss(0.6), [hiss(seconds) for seconds in (0.0, 0.001, 0.1, 15.0)])
"""Noise is the hardest to decode: 0.3 s for each second of it."""


class LocalEar(Subject):
    """pocketsphinx in one child process, which refuses to listen for nothing."""

    troubles = {"nothing is expected": Failure.REFUSED}
    questions: Questions | None = SHORT

    def __init__(self) -> None:
        super().__init__(lambda: LocalTranscriber(1))

    async def inflict(self, trouble: str) -> None:
        self.questions = SHORT._replace(one=Utterance(b"\x20" * 4_000, Expectation()))

    async def relieve(self) -> None:
        self.questions = SHORT


class Scripted(Subject):
    """A stand-in whose script `make` is given a way to look up what goes wrong."""

    troubles = {kind.value: kind for kind in Failure}

    def __init__(self, make: Callable[["Scripted"], Provider]) -> None:
        super().__init__(lambda: make(self))
        self.error: ProviderError | None = None

    async def inflict(self, trouble: str) -> None:
        self.error = ProviderError(Failure(trouble), f"the script says {trouble}")

    async def relieve(self) -> None:
        self.error = None

    def otherwise(self, answer: Any) -> Any:
        """Raises what goes wrong, or else returns the answer."""
        if self.error is not None:
            raise self.error
        return answer


@dataclass
class Errors(Sequence[Exception | None]):
    """For every request whatever goes wrong now."""

    subject: Scripted

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, index: Any) -> Any:
        return self.subject.error

    def __iter__(self) -> Iterator[Exception | None]:
        raise NotImplementedError


def scripted_ear(subject: Scripted) -> Provider:
    return ScriptedTranscriber(
        by_audio=lambda utterance: subject.otherwise(f"{len(utterance.mulaw)} samples are what I hear"),
        delay=0.02,
        partials_every=0.005,
    )


def scripted_mind(subject: Scripted) -> Provider:
    return ScriptedModel(lambda talk: subject.otherwise(f"You said {talk.messages[-1].text}, did you?"), 0.005, 300)


def scripted_voice(subject: Scripted) -> Provider:
    return ScriptedVoice(
        delay=0.005,
        realtime=True,
        seconds_per_word=0.003,
        sound=lambda word: hum(word, 8_000, 0.3),
        errors=Errors(subject),
    )


def users_function(subject: Scripted) -> Provider:
    async def reply(call: Any, history: list[dict[str, str]]) -> AsyncGenerator[str, None]:
        for word in ("You ", "said ", history[-1]["content"], subject.otherwise("."), "."):
            await asyncio.sleep(0.005)
            yield word

    return GeneratorModel(reply)


class ScriptedCalls(Scripted):
    """A scripted speech model, which tells what it believes."""

    def __init__(self) -> None:
        super().__init__(scripted_speech)

    def make(self) -> Provider:
        self.made = super().make()
        return self.made

    def busy(self) -> int:
        assert isinstance(self.made, ScriptedSpeech)
        return self.made.running

    def believed(self) -> list[str]:
        assert isinstance(self.made, ScriptedSpeech)
        return [message.text for message in self.made.sessions[-1].messages]


def scripted_speech(subject: Scripted) -> Provider:
    ear = ScriptedTranscriber(
        by_audio=lambda utterance: subject.otherwise(f"{len(utterance.mulaw)} samples"), delay=0.005
    )
    mind = ScriptedModel(lambda talk: f"You said {talk.messages[-1].text}, did you?", 0.005, 300)
    return ScriptedSpeech(ear, mind, ScriptedVoice(delay=0.001))


def said(words: str) -> Utterance:
    return Utterance(speech(words).mulaw, Expectation())


class Listening(Scripted):
    """A scripted transcriber that understands what is said while it is being said; as it is, or asked by streams."""

    questions = Questions(said("hello"), said("yes"), said("no no no no no no"), [hiss(0.3), said("cough")])

    def __init__(self, *, streamed: bool) -> None:
        super().__init__(lambda _: Streamed(self.listener) if streamed else self.listener)
        self.listener = ScriptedListener(lag=None if streamed else 0.002, delay=0.02)

    async def inflict(self, trouble: str) -> None:
        await super().inflict(trouble)
        self.listener.fails = self.error

    async def relieve(self) -> None:
        self.listener.fails = None


def on_openai(stage: Stage, kind: Callable[..., Provider], client: str = "lean", **more: Any) -> Callable[[], Subject]:
    return lambda: OpenAISubject(stage, kind, client, **more)


def streamed(**given: Any) -> Provider:
    return Streamed(RealtimeTranscriber(**given))


UPLOAD = Stage.TRANSCRIPTION, partial(OpenAITranscriber, "gpt-4o-transcribe")
CHAT = Stage.CHAT, partial(OpenAIModel, "gpt-4o-mini")
RESPONSES = Stage.RESPONSES, partial(OpenAIResponsesModel, "gpt-4o-mini")
SPEECH = Stage.SPEECH, OpenAIVoice

SUBJECTS: Mapping[str, Callable[[], Subject]] = {
    "openai upload": on_openai(*UPLOAD),
    "openai upload, sdk": on_openai(*UPLOAD, "sdk"),
    "openai realtime": on_openai(Stage.REALTIME, RealtimeTranscriber, pooled=True),
    "openai realtime, streamed": on_openai(Stage.REALTIME, streamed),
    "openai chat": on_openai(*CHAT),
    "openai chat, sdk": on_openai(*CHAT, "sdk"),
    "openai responses": on_openai(*RESPONSES),
    "openai responses, sdk": on_openai(*RESPONSES, "sdk"),
    "openai voice": on_openai(*SPEECH),
    "openai voice, sdk": on_openai(*SPEECH, "sdk"),
    "openai speech to speech": on_openai(Stage.REALTIME, OpenAISpeech),
    "pocketsphinx": LocalEar,
    "espeak": lambda: Subject(LocalVoice),
    "scripted transcriber": lambda: Scripted(scripted_ear),
    "scripted listener": lambda: Listening(streamed=False),
    "scripted listener, streamed": lambda: Listening(streamed=True),
    "scripted speech to speech": ScriptedCalls,
    "scripted model": lambda: Scripted(scripted_mind),
    "scripted voice": lambda: Scripted(scripted_voice),
    "user's function": lambda: Scripted(users_function),
}
