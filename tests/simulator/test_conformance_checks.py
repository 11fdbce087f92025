"""Each check of the conformance suite finds what it is there to find, and nothing where there is nothing."""

import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import IO, Any

import flawed_speech
import flawed_streams
import pytest
from flawed_speech import Talker
from flawed_streams import Listener

from offhook.conversation.tools import ToolCall
from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.interfaces import Conversation, Transcript, Usage, Utterance
from offhook.providers.scripted import hum
from offhook.simulator.conformance import CHECKS, Streamed, Subject, answering, cancelling, failing, letting_go, run
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


class Disturbed(Subject):
    """Overloads whatever it has made."""

    troubles = {"too much": Failure.OVERLOADED}
    retry_after = 2.0
    secret = "sesame"

    def make(self) -> Any:
        provider = super().make()
        self.made: Any = getattr(provider, "ears", provider)
        return provider

    def make_incomplete(self) -> Any:
        provider = self.make()
        self.made.incomplete = True
        return provider

    def told(self) -> Any:
        return getattr(self.made, "told", None)

    def believed(self) -> Any:
        return self.made.believed() if hasattr(self.made, "believed") else None

    async def inflict(self, trouble: str) -> None:
        self.made.trouble = trouble

    async def relieve(self) -> None:
        self.made.trouble = ""

    def busy(self) -> int:
        return getattr(self.made, "working", 0)


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


class SlowToGo(Tidy):
    async def speak(self, text: str) -> AsyncIterator[bytes]:
        try:
            async for each in super().speak(text):
                yield each
        finally:
            await asyncio.sleep(0.07)


class SlowToStart(Tidy):
    async def ready(self) -> None:
        try:
            await asyncio.sleep(0.03)
        finally:
            await asyncio.sleep(0.07)


class GoesOn(Tidy):
    """Its server is not told that nobody listens any more."""

    working = 0

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.working += 1
        async for each in super().speak(text):
            yield each
        self.working -= 1


class WrongKind(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.BROKEN, "something")


class NoWish(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.OVERLOADED, "come back later")


class Talkative(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.OVERLOADED, "come back later\nif at all")


class Indiscreet(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.OVERLOADED, "with sesame one cannot come in now")


class NoTrouble(Tidy):
    def fail(self) -> None: ...


class Resentful(Tidy):
    hurt = False

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.hurt = self.hurt or bool(self.trouble)
        if self.hurt:
            self.fail()
        async for each in super().speak(text):
            yield each


class WorriedByTheNetwork(Tidy):
    async def ready(self) -> None:
        if self.trouble:
            raise ConnectionResetError


class ReadyForNothing(Tidy):
    async def ready(self) -> None: ...


class WantsItsKeyInVerse(Tidy):
    async def ready(self) -> None:
        if self.incomplete:
            raise ConfigurationError("ACME_KEY\nis not set")


class ClosesOnce(Tidy):
    async def aclose(self) -> None:
        await super().aclose()
        if self.closed > 1:
            raise RuntimeError("closed already")


class LeavesATask(Tidy):
    async def ready(self) -> None:
        self.task = asyncio.create_task(asyncio.sleep(0.8))


class LeavesAThread(Tidy):
    async def ready(self) -> None:
        threading.Thread(target=time.sleep, args=(0.8,), daemon=True).start()


class LeavesAFile(Tidy):
    kept: list[IO[bytes]] = []

    async def ready(self) -> None:
        self.kept.append(tempfile.TemporaryFile())  # noqa: SIM115 - the flaw


class LeavesAChild(Tidy):
    kept: list[subprocess.Popen[bytes]] = []

    async def ready(self) -> None:
        self.kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(9)"]))  # noqa: ASYNC220


class Growing(Tidy):
    def __init__(self) -> None:
        self.kept: list[IO[bytes]] = []

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.kept.append(tempfile.TemporaryFile())  # noqa: SIM115 - the flaw
        async for each in super().speak(text):
            yield each

    async def aclose(self) -> None:
        while self.kept:
            self.kept.pop().close()


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
    (cancelling.is_cancelled_at_once, SlowToGo, "cancelled, and over only"),
    (cancelling.is_cancelled_at_once, GoesOn, "cancelled, and over only"),
    (cancelling.is_closed_at_once, SlowToGo, "closed, and over only"),
    (cancelling.is_closed_at_once, GoesOn, "closed, and over only"),
    (cancelling.getting_ready_is_cancelled_at_once, SlowToStart, "got ready, and over only"),
    (failing.says_what_went_wrong, WrongKind, "OVERLOADED, and not BROKEN"),
    (failing.says_what_went_wrong, NoWish, "retry_after is 2.0, and not None"),
    (failing.says_what_went_wrong, Talkative, "one line"),
    (failing.says_what_went_wrong, Indiscreet, "tells our secret"),
    (failing.says_what_went_wrong, NoTrouble, "must raise ProviderError"),
    (failing.says_what_went_wrong, Resentful, "come back later"),
    (failing.is_ready_or_says_why_not, WorriedByTheNetwork, "^$"),
    (failing.says_what_it_lacks, ReadyForNothing, "`ready` must raise"),
    (failing.says_what_it_lacks, WantsItsKeyInVerse, "one line"),
    (letting_go.closes_as_often_as_you_like, ClosesOnce, "closed already"),
    (letting_go.closes_at_once_behind_a_crowd, GoesOn, "still works on 8 requests"),
    (letting_go.leaves_nothing_behind, LeavesATask, "2 tasks"),
    (letting_go.leaves_nothing_behind, LeavesAThread, "2 threads"),
    (letting_go.leaves_nothing_behind, LeavesAFile, "2 files"),
    (letting_go.leaves_nothing_behind, LeavesAChild, "2 children"),
    (letting_go.does_not_grow, Growing, "8 files"),
    *flawed_speech.FLAWS,
    *flawed_streams.FLAWS,
]


@pytest.mark.parametrize(("check", "flawed", "words"), FLAWS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_flaw_is_found(check: Check, flawed: Callable[[], Any], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PATIENCE", 0.2)
    with pytest.raises((AssertionError, ProviderError, UnicodeError, OSError, RuntimeError), match=words):
        run(check, lambda: Disturbed(flawed))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [Tidy, Ear, saying(Mind, "a", "b", ToolCall("1", "c", "{}"), Usage(1, 1))])
def test_without_a_flaw_nothing_is_found(check: Check, make: Callable[[], Any]) -> None:
    run(check, lambda: Subject(make))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [Tidy, Talker, Listener, lambda: Streamed(Listener())])
def test_without_a_flaw_nothing_is_found_of_what_can_be_seen(check: Check, make: Callable[[], Any]) -> None:
    run(check, lambda: Disturbed(make))


def test_every_check_is_shown_to_find_something() -> None:
    assert {check for check, _, _ in FLAWS} == set(CHECKS)


@pytest.fixture(autouse=True)
def tidied() -> Any:
    """Away with what the flawed ones left."""
    yield
    while LeavesAFile.kept:
        LeavesAFile.kept.pop().close()
    while LeavesAChild.kept:
        child = LeavesAChild.kept.pop()
        child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(5)
