"""A transcriber that listens, without a fault, and those that differ from it in one thing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from offhook.conversation.expectation import Expectation
from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.interfaces import Transcript, Utterance
from offhook.simulator.conformance import failing, listening


class Stream:
    """What was appended, turn by turn: its audio, what was expected, and whether it is over."""

    def __init__(self, ears: Any) -> None:
        self.ears = ears
        self.turns: list[bytes] = []
        self.over: list[asyncio.Event] = []
        self.expected = self.begun_with = Expectation()
        self.speaking = False

    def open(self) -> None:
        if self.ears.incomplete:
            raise ConfigurationError("ACME_KEY is not set")

    def expect(self, expectation: Expectation) -> None:
        self.expected = expectation

    def append(self, audio: bytes) -> int:
        if not self.speaking:
            self.begin()
        self.turns[-1] += audio
        return len(self.turns)

    def begin(self) -> None:
        self.speaking, self.begun_with = True, self.expected
        self.turns.append(b"")
        self.over.append(asyncio.Event())

    def commit(self) -> int:
        self.speaking = False
        self.ears.told = " ".join(self.begun_with.keywords)
        self.over[-1].set()
        return len(self.turns)

    def clear(self) -> None:
        self.speaking = False

    async def transcripts(self, number: int) -> AsyncIterator[Transcript]:
        if self.ears.trouble:
            raise ProviderError(Failure.OVERLOADED, "come back later", retry_after=2.0)
        self.ears.working += 1
        try:
            yield Transcript("what", final=False)
            await self.over[number - 1].wait()
            await asyncio.sleep(0.002)
            yield Transcript(f"{len(self.turns[number - 1])} samples")
        finally:
            self.ears.working -= 1

    async def aclose(self) -> None: ...


class Listener:
    """A streaming transcriber."""

    kind: type[Stream] = Stream
    incomplete = False
    trouble = told = ""
    working = 0

    def listen(self, language: str = "", prompt: str = "") -> Stream:
        return self.kind(self)

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        if self.trouble:
            raise ProviderError(Failure.OVERLOADED, "come back later", retry_after=2.0)
        yield Transcript(f"{len(utterance.mulaw)} samples")

    async def ready(self) -> None:
        if self.incomplete:
            raise ConfigurationError("ACME_KEY is not set")

    async def aclose(self) -> None: ...


def with_streams(kind: type[Stream]) -> type[Listener]:
    return type(kind.__name__, (Listener,), {"kind": kind})


class FromZero(Stream):
    def append(self, audio: bytes) -> int:
        return super().append(audio) - 1

    def commit(self) -> int:
        return super().commit() - 1

    def transcripts(self, number: int) -> AsyncIterator[Transcript]:
        return super().transcripts(number + 1)


class OutOfOrder(Stream):
    def transcripts(self, number: int) -> AsyncIterator[Transcript]:
        return super().transcripts(len(self.turns) + 1 - number)


class ManyNumbers(Stream):
    """A number for every frame."""

    count = 0

    def append(self, audio: bytes) -> int:
        super().append(audio)
        self.count += 1
        return self.count


class NeverFinal(Stream):
    async def transcripts(self, number: int) -> AsyncIterator[Transcript]:
        async for each in super().transcripts(number):
            yield Transcript(each.text, final=False)


class Unforgetting(Stream):
    def clear(self) -> None: ...


class NothingToClear(Stream):
    def clear(self) -> None:
        assert self.speaking, "there is nothing to clear"
        super().clear()


class HintsAtOnce(Stream):
    """They hold for the turn that goes on."""

    def expect(self, expectation: Expectation) -> None:
        self.expected = self.begun_with = expectation


class HintsOnce(Stream):
    """They hold for one turn."""

    def begin(self) -> None:
        super().begin()
        self.expected = Expectation()


class NoHints(Stream):
    def expect(self, expectation: Expectation) -> None: ...


class WaitsForWords(Stream):
    async def transcripts(self, number: int) -> AsyncIterator[Transcript]:
        if len(self.turns[number - 1]) < 800:
            await asyncio.get_running_loop().create_future()
        async for each in super().transcripts(number):
            yield each


class SlowToClose(Stream):
    async def aclose(self) -> None:
        await asyncio.sleep(0.07)


class GoesOn(Stream):
    """The other side is not told."""

    def append(self, audio: bytes) -> int:
        self.ears.working += not self.speaking
        return super().append(audio)


class Credulous(Stream):
    def open(self) -> None: ...


FLAWS: list[tuple[Any, Any, str]] = [
    (listening.hears_turn_by_turn, with_streams(FromZero), "turns count from 1"),
    (listening.hears_turn_by_turn, with_streams(OutOfOrder), "words of another"),
    (listening.hears_turn_by_turn, with_streams(ManyNumbers), "one turn has the numbers"),
    (listening.hears_turn_by_turn, with_streams(NeverFinal), "last transcript must be final"),
    (listening.forgets_what_is_cleared, with_streams(Unforgetting), "something of what was cleared"),
    (listening.forgets_what_is_cleared, with_streams(NothingToClear), "nothing to clear"),
    (listening.takes_hints_for_turns_to_come, with_streams(HintsAtOnce), "not told to expect 'red'"),
    (listening.takes_hints_for_turns_to_come, with_streams(HintsOnce), "turn 3 is not told to expect 'blue'"),
    (listening.takes_hints_for_turns_to_come, with_streams(NoHints), "not told to expect 'red'"),
    (listening.hears_turns_without_words, with_streams(WaitsForWords), "1 samples of silence are not answered"),
    (listening.stops_listening_at_once, with_streams(SlowToClose), "closed while opened, and over only"),
    (listening.stops_listening_at_once, with_streams(GoesOn), "closed while speaking, and over only"),
    (failing.says_what_it_lacks, with_streams(Credulous), "`open` must raise"),
]
