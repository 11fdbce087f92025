"""A speech model without a fault, and those that differ from it in one thing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import numpy as np

from offhook.audio import mulaw
from offhook.conversation.messages import Message
from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.interfaces import Transcript, Usage, Utterance
from offhook.providers.scripted import hum
from offhook.providers.speech_interface import Briefing
from offhook.simulator.conformance import answering, cancelling, conversing, failing, letting_go

RATE = 8_000


def sound(word: str) -> bytes:
    return mulaw.encode(np.frombuffer(hum(word, RATE, 0.3), "<i2"))


class Session:
    """What is said in it stands in `said`, by number; what was noted has none."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.said: list[tuple[int, str]] = []

    def open(self) -> None:
        if self.model.incomplete:
            raise ConfigurationError("ACME_KEY is not set")

    async def hear(self, number: int, utterance: Utterance) -> AsyncIterator[Any]:
        self.model.meet()
        await asyncio.sleep(0.001)
        words = f"{len(utterance.mulaw)} samples"
        self.said.append((number, words))
        yield Transcript(words)

    async def reply(self, number: int) -> AsyncIterator[Any]:
        self.model.meet()
        self.model.working += 1
        try:
            text = f"I have heard {self.said[-1][1]} of it"
            self.said.append((number, text))
            for word in text.split():
                await asyncio.sleep(0.001)
                yield word if word == "I" else f" {word}"
                yield sound(word)
            yield Usage(1, 1)
        finally:
            self.model.working -= 1

    async def speak(self, number: int, text: str) -> AsyncIterator[Any]:
        for word in text.split():
            yield sound(word)

    def cut(self, number: int, heard: int, words: str) -> None:
        self.said = [(each, words if each == number else text) for each, text in self.said]

    def forget(self, number: int) -> None:
        self.said = [each for each in self.said if each[0] != number]

    def note(self, message: Message) -> None:
        self.said.append((0, message.text))

    async def aclose(self) -> None: ...


class Talker:
    """A speech model. Its subject tells it what goes wrong, and whether its key is missing."""

    kind: type[Session] = Session
    incomplete = False
    trouble = ""

    def __init__(self) -> None:
        self.sessions: list[Session] = []
        self.working = 0

    def session(self, briefing: Briefing) -> Session:
        self.sessions.append(self.kind(self))
        return self.sessions[-1]

    def meet(self) -> None:
        if self.trouble:
            raise ProviderError(Failure.OVERLOADED, "come back later", retry_after=2.0)

    def believed(self) -> list[str]:
        return [text for _, text in self.sessions[-1].said]

    async def ready(self) -> None:
        if self.incomplete:
            raise ConfigurationError("ACME_KEY is not set")

    async def aclose(self) -> None: ...


def with_sessions(kind: type[Session]) -> type[Talker]:
    return type(kind.__name__, (Talker,), {"kind": kind})


class Mute(Session):
    async def reply(self, number: int) -> AsyncIterator[Any]:
        async for piece in super().reply(number):
            if not isinstance(piece, bytes):
                yield piece


class OtherSound(Session):
    """24 kHz, 16 bits."""

    async def reply(self, number: int) -> AsyncIterator[Any]:
        async for piece in super().reply(number):
            yield hum("", 24_000, 0.3) if isinstance(piece, bytes) else piece


class HearsLate(Session):
    async def reply(self, number: int) -> AsyncIterator[Any]:
        async for piece in super().reply(number):
            yield piece
        yield Transcript("what?")


class OneTalk(Session):
    """All sessions are one."""

    def __init__(self, model: Any) -> None:
        super().__init__(model)
        self.said = model.sessions[0].said if model.sessions else self.said

    async def reply(self, number: int) -> AsyncIterator[Any]:
        await asyncio.sleep(0.01)
        async for piece in super().reply(number):
            yield piece


class AllAtOnce(Session):
    async def reply(self, number: int) -> AsyncIterator[Any]:
        await asyncio.sleep(0.02)
        for piece in [piece async for piece in super().reply(number)]:
            yield piece


class Stumbling(Session):
    async def hear(self, number: int, utterance: Utterance) -> AsyncIterator[Any]:
        if not utterance.mulaw:
            raise RuntimeError("where is the audio?")
        async for each in super().hear(number, utterance):
            yield each


class SlowToHangUp(Session):
    async def aclose(self) -> None:
        await asyncio.sleep(0.07)


class SlowToStop(Session):
    async def reply(self, number: int) -> AsyncIterator[Any]:
        try:
            async for piece in super().reply(number):
                yield piece
        finally:
            await asyncio.sleep(0.07)


class GoesOn(Session):
    """The other side is not told that nobody listens."""

    async def reply(self, number: int) -> AsyncIterator[Any]:
        self.model.working += 1
        async for piece in super().reply(number):
            yield piece
        self.model.working -= 1


class Leftovers(Session):
    """What was on its way of a reply that was cut comes with the next one."""

    left = b""

    async def reply(self, number: int) -> AsyncIterator[Any]:
        if self.left:
            yield self.left
        self.left = sound("and")
        async for piece in super().reply(number):
            yield piece
        self.left = b""


class HangsUpOnce(Session):
    closed = False

    async def aclose(self) -> None:
        assert not self.closed, "closed already"
        self.closed = True


class LeavesATask(Session):
    def open(self) -> None:
        self.task = asyncio.create_task(asyncio.sleep(0.8))


class Unmoved(Session):
    def cut(self, number: int, heard: int, words: str) -> None: ...


class Unforgetting(Session):
    def forget(self, number: int) -> None: ...


class Inattentive(Session):
    def note(self, message: Message) -> None: ...


class ReadsOut(Session):
    async def speak(self, number: int, text: str) -> AsyncIterator[Any]:
        yield text


class SaysNothing(Session):
    async def speak(self, number: int, text: str) -> AsyncIterator[Any]:
        if number < 0:
            yield b""


class Credulous(Session):
    """It opens without a key."""

    def open(self) -> None: ...


class ReadyForNothing(Talker):
    async def ready(self) -> None: ...


class Rude(Session):
    async def hear(self, number: int, utterance: Utterance) -> AsyncIterator[Any]:
        if self.model.trouble:
            raise ProviderError(Failure.BROKEN, "something")
        async for each in super().hear(number, utterance):
            yield each


FLAWS: list[tuple[Any, Any, str]] = [
    (answering.answers_what_it_is_asked, with_sessions(Mute), "nothing is to be heard"),
    (answering.answers_what_it_is_asked, with_sessions(OtherSound), "is that its rate"),
    (answering.answers_what_it_is_asked, with_sessions(HearsLate), "only the last|please"),
    (answering.answers_bit_by_bit, with_sessions(AllAtOnce), "waits for nearly all"),
    (answering.stumbles_over_nothing, with_sessions(Stumbling), "where is the audio"),
    (answering.serves_many_at_once, with_sessions(OneTalk), "belongs to another"),
    (cancelling.is_cancelled_at_once, with_sessions(SlowToHangUp), "cancelled, and over only"),
    (cancelling.is_closed_at_once, with_sessions(SlowToHangUp), "closed, and over only"),
    (failing.says_what_went_wrong, with_sessions(Rude), "OVERLOADED, and not BROKEN"),
    (failing.says_what_it_lacks, with_sessions(Credulous), "`open` must raise"),
    (failing.says_what_it_lacks, ReadyForNothing, "`ready` must raise"),
    (letting_go.leaves_nothing_behind, with_sessions(LeavesATask), "tasks"),
    (conversing.reads_aloud, with_sessions(ReadsOut), "sound, please"),
    (conversing.reads_aloud, with_sessions(SaysNothing), "nothing is to be heard"),
    (conversing.stops_talking_at_once, with_sessions(SlowToStop), "cut, and over only"),
    (conversing.stops_talking_at_once, with_sessions(GoesOn), "cut, and over only"),
    (conversing.stops_talking_at_once, with_sessions(Leftovers), "something of another"),
    (conversing.believes_what_was_heard, with_sessions(Unmoved), "said what was cut"),
    (conversing.believes_what_was_heard, with_sessions(Unforgetting), "what was forgotten"),
    (conversing.believes_what_was_heard, with_sessions(Inattentive), "what was noted"),
    (conversing.hangs_up_at_once, with_sessions(SlowToHangUp), "hung up, and over only"),
    (conversing.hangs_up_at_once, with_sessions(HangsUpOnce), "closed already"),
]
