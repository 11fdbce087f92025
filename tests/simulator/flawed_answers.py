"""A voice, a transcriber and a model without a fault, and those that answer otherwise than they should."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.interfaces import Conversation, Transcript, Usage, Utterance
from offhook.providers.scripted import hum
from offhook.simulator.conformance import answering
from offhook.simulator.conformance.suite import Check

RATE = 8_000


class Tidy:
    """A voice without a fault: every flawed one differs from it in one thing. Its subject tells it what goes wrong."""

    rate = RATE
    trouble = ""
    incomplete = False
    closed = 0

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        if self.trouble:
            self.fail()
        for word in text.split():
            await asyncio.sleep(0.001)
            yield self.sound(word)

    def sound(self, word: str) -> bytes:
        return hum(word, RATE, 0.3)

    def fail(self) -> None:
        raise ProviderError(Failure.OVERLOADED, "come back later", retry_after=2.0)

    async def ready(self) -> None:
        if self.incomplete:
            raise ConfigurationError("ACME_KEY is not set")

    async def aclose(self) -> None:
        self.closed += 1


class Ear(Tidy):
    """What it says of any speech."""

    said: tuple[Any, ...] = (Transcript("a", False), Transcript("a b"))

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Any]:
        for each in self.said:
            yield each

    speak = None  # type: ignore[assignment]


class Mind(Tidy):
    """What it replies to anything."""

    said: tuple[Any, ...] = ("a", "b")
    speculative = True

    async def reply(self, conversation: Conversation) -> AsyncIterator[Any]:
        for each in self.said:
            await asyncio.sleep(0.001)
            yield each

    speak = None  # type: ignore[assignment]


def saying(kind: type[Any], *said: Any) -> type[Any]:
    return type("Saying", (kind,), {"said": said})


class Everything(Tidy):
    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        yield Transcript("")


class OfNoKnownRate(Tidy):
    rate = 11_025


class TooSlow(Tidy):
    def sound(self, word: str) -> bytes:
        return hum(word, RATE, 0.9)


class Silent(Tidy):
    def sound(self, word: str) -> bytes:
        return bytes(4_000)


class WithAHead(Tidy):
    async def speak(self, text: str) -> AsyncIterator[bytes]:
        yield b"RIFF\0\0\0\0WAVEfmt "
        yield hum("", RATE, 1.5)


class HalfASample(Tidy):
    def sound(self, word: str) -> bytes:
        return super().sound(word)[word == "Hello" :]


class NoStream(Tidy):
    def speak(self, text: str) -> Any:
        return self.sound(text)


class AllAtOnce(Tidy):
    async def speak(self, text: str) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.02)
        for word in text.split():
            yield self.sound(word)


class Stumbling(Tidy):
    def sound(self, word: str) -> bytes:
        return super().sound(word.encode().decode())


class Hanging(Tidy):
    async def speak(self, text: str) -> AsyncIterator[bytes]:
        if not text.strip():
            await asyncio.get_running_loop().create_future()
        async for each in super().speak(text):
            yield each


class Confused(Tidy):
    """Keeps what belongs to a request with itself."""

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.text = text
        await asyncio.sleep(0.01)
        async for each in super().speak(self.text):
            yield each


class OneAtATime(Tidy):
    def __init__(self) -> None:
        self.lock = asyncio.Lock()

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        async with self.lock:
            async for each in super().speak(text):
                yield each


class Blocking(Tidy):
    async def speak(self, text: str) -> AsyncIterator[bytes]:
        time.sleep(0.15)  # noqa: ASYNC251 - the flaw
        async for each in super().speak(text):
            yield each


class Complaining(Tidy):
    async def ready(self) -> None:
        asyncio.get_running_loop().call_soon(self.fail)


FLAWS: list[tuple[Check, Callable[[], Any], str]] = [
    (answering.fits_one_interface, Everything, "exactly one interface"),
    (answering.fits_one_interface, object, "exactly one interface"),
    (answering.fits_one_interface, OfNoKnownRate, "rate=11025"),
    (answering.answers_what_it_is_asked, saying(Ear, Transcript("a", False)), "last transcript must be final"),
    (answering.answers_what_it_is_asked, saying(Ear), "last transcript must be final"),
    (answering.answers_what_it_is_asked, saying(Ear, Transcript("a"), Transcript("b")), "only the last"),
    (answering.answers_what_it_is_asked, saying(Ear, "words"), "transcripts, please"),
    (answering.answers_what_it_is_asked, saying(Mind, b"words"), "no bytes"),
    (answering.answers_what_it_is_asked, saying(Mind, " "), "say or do something"),
    (answering.answers_what_it_is_asked, saying(Mind, Usage(1, 1), "words"), "at the end"),
    (answering.answers_what_it_is_asked, saying(Mind, "words", Usage(1, 1), Usage(1, 1)), "at the end"),
    (answering.answers_what_it_is_asked, TooSlow, "is that its rate"),
    (answering.answers_what_it_is_asked, Silent, "silence"),
    (answering.answers_what_it_is_asked, WithAHead, "a WAV file"),
    (answering.answers_what_it_is_asked, HalfASample, "cut in half"),
    (answering.answers_what_it_is_asked, NoStream, "async generator"),
    (answering.answers_what_it_is_asked, Complaining, "nobody looked at these failures"),
    (answering.answers_bit_by_bit, AllAtOnce, "waits for nearly all"),
    (answering.answers_bit_by_bit, saying(Mind, "words"), "all comes at once"),
    (answering.stumbles_over_nothing, Stumbling, "surrogates not allowed"),
    (answering.stumbles_over_nothing, Hanging, "is not answered"),
    (answering.serves_many_at_once, Confused, "belongs to another"),
    (answering.keeps_nobody_waiting, OneAtATime, "waits for another one's reader"),
    (answering.leaves_the_event_loop_alone, Blocking, "stands still"),
]
