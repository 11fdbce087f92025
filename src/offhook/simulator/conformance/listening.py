"""Checks of transcribers that listen while somebody speaks: turns in their order, and nothing of what was no turn."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, cast

from msgspec.structs import replace

from offhook.audio import mulaw
from offhook.conversation.expectation import Expectation
from offhook.errors import ProviderError
from offhook.providers.interfaces import StreamingTranscriber, Transcript, TranscriptionStream, Utterance
from offhook.simulator.conformance import answering
from offhook.simulator.conformance.cancelling import require_prompt, until_noticed
from offhook.simulator.conformance.kinds import require_shape, same, whole
from offhook.simulator.conformance.letting_go import require_let_go
from offhook.simulator.conformance.subject import Subject
from offhook.simulator.conformance.timing import Stopwatch
from offhook.timebase import RATE

_FRAME = RATE // 50
"""Samples that a carrier sends at once: 20 ms."""
_SILENT = 1, _FRAME, RATE // 5, 3 * RATE
"""Lengths of turns in which nothing is said."""
_A_WHILE = 0.02
"""Seconds after which some of what was appended is on its way."""


class Streamed:
    """A transcriber that asks the streams of another one: a subject that makes one is examined by all the checks of
    transcribers."""

    def __init__(self, ears: StreamingTranscriber) -> None:
        self.ears = ears

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        async with _stream(self.ears, utterance.language) as stream:
            stream.expect(utterance.expectation)
            for piece in _pieces(utterance.mulaw or b"\xff"):
                stream.append(piece)
            async with aclosing(cast(Any, stream.transcripts(stream.commit()))) as transcripts:
                async for transcript in transcripts:
                    yield transcript

    async def ready(self) -> None:
        await self.ears.ready()

    async def aclose(self) -> None:
        await self.ears.aclose()


async def hears_turn_by_turn(subject: Subject) -> None:
    """A stream gives each turn its own words, in their order, though the next is spoken meanwhile."""
    async with subject.working() as ears:
        if not isinstance(ears, StreamingTranscriber):
            return
        turns = _turns(subject, ears)
        alone = [await whole(ears, turn) for turn in turns]
        async with _stream(ears) as stream:
            numbers = [_say(stream, turn) for turn in turns]
            assert numbers == [1, 2], f"turns count from 1, and not {numbers}"
            for number, words in zip(numbers, alone, strict=True):
                heard = await _heard(ears, stream, number)
                assert not subject.steady or same(heard, words), f"turn {number} got the words of another"


async def forgets_what_is_cleared(subject: Subject) -> None:
    """A stream's next turn has nothing of what was cleared, on its way or not. There may be nothing to clear."""
    async with subject.working() as ears:
        if not isinstance(ears, StreamingTranscriber):
            return
        one, other = _turns(subject, ears)
        alone = await whole(ears, one)
        for pause in (0.0, _A_WHILE):
            async with _stream(ears) as stream:
                stream.clear()
                for piece in _pieces(other.mulaw):
                    stream.append(piece)
                await asyncio.sleep(pause)
                stream.clear()
                stream.clear()
                heard = await _heard(ears, stream, _say(stream, one))
                assert not subject.steady or same(heard, alone), "a turn has something of what was cleared"


async def takes_hints_for_turns_to_come(subject: Subject) -> None:
    """What a stream is told to expect holds for the turns that begin from then on, until it is told something else."""
    async with subject.working() as ears:
        if not isinstance(ears, StreamingTranscriber):
            return
        one, _ = _turns(subject, ears)
        red, blue = replace(one, expectation=_keyword("red")), replace(one, expectation=_keyword("blue"))
        async with _stream(ears) as stream:
            stream.expect(red.expectation)
            number = stream.append(one.mulaw)
            stream.expect(blue.expectation)
            await _require_told(subject, ears, stream, stream.commit(), ("red", "blue"))
            for _ in range(2):
                assert stream.append(one.mulaw) > number, "a turn after a commit has a number of its own"
                await _require_told(subject, ears, stream, stream.commit(), ("blue", "red"))


async def hears_turns_without_words(subject: Subject) -> None:
    """A stream answers or raises `ProviderError` where nothing was said, however short the turn."""
    async with subject.working() as ears:
        if not isinstance(ears, StreamingTranscriber):
            return
        async with _stream(ears) as stream:
            for size in _SILENT:
                number = _say(stream, Utterance(mulaw.SILENCE * size, Expectation()))
                try:
                    await asyncio.wait_for(_heard(ears, stream, number), answering.PATIENCE)
                except ProviderError:
                    continue
                except TimeoutError:
                    raise AssertionError(f"{size} samples of silence are not answered") from None


async def stops_listening_at_once(subject: Subject) -> None:
    """A stream, at any moment and as often as you like; nothing is left of it."""
    async with subject.working() as ears:
        if not isinstance(ears, StreamingTranscriber):
            return
        for moment in ("opened", "speaking", "transcribing"):
            await require_prompt(subject, f"closed while {moment}", partial(_close, subject, ears, moment))
        await ears.aclose()
        await require_let_go(subject)


async def _close(subject: Subject, ears: StreamingTranscriber, moment: str) -> float:
    before, (one, _) = subject.busy(), _turns(subject, ears)
    async with _stream(ears) as stream:
        reading = None
        if moment != "opened":
            number = stream.append(one.mulaw)
            reading = asyncio.ensure_future(_heard(ears, stream, number))
        if moment == "transcribing":
            stream.commit()
        await asyncio.sleep(0 if moment == "opened" else _A_WHILE / 4)
        elapsed = Stopwatch()
        if reading is not None:
            reading.cancel()
            await asyncio.wait([reading])
        await stream.aclose()
        return await until_noticed(subject, before, elapsed)


@asynccontextmanager
async def _stream(ears: StreamingTranscriber, language: str = "") -> AsyncIterator[TranscriptionStream]:
    """One that is open, and closed afterwards."""
    stream = ears.listen(language)
    try:
        stream.open()
        yield stream
    finally:
        await stream.aclose()


def _turns(subject: Subject, ears: StreamingTranscriber) -> tuple[Utterance, Utterance]:
    questions = subject.asked(ears)
    return cast(tuple[Utterance, Utterance], (questions.one, questions.other))


def _say(stream: TranscriptionStream, turn: Utterance) -> int:
    """Frame by frame: the number of the turn."""
    numbers = [stream.append(piece) for piece in _pieces(turn.mulaw)]
    number = stream.commit()
    assert set(numbers) == {number}, f"one turn has the numbers {[*numbers, number]!r:.80}"
    return number


def _pieces(audio: bytes) -> Sequence[bytes]:
    return [audio[at : at + _FRAME] for at in range(0, len(audio), _FRAME)]


async def _heard(ears: StreamingTranscriber, stream: TranscriptionStream, number: int) -> list[Transcript]:
    transcripts = cast(AsyncGenerator[Transcript, None], stream.transcripts(number))
    async with aclosing(transcripts):
        heard = [transcript async for transcript in transcripts]
    require_shape(ears, heard)
    return heard


async def _require_told(
    subject: Subject, ears: StreamingTranscriber, stream: TranscriptionStream, number: int, words: tuple[str, str]
) -> None:
    await _heard(ears, stream, number)
    expected, other = words
    if (told := subject.told()) is not None:
        assert expected in told, f"turn {number} is not told to expect {expected!r}: {told!r}"
        assert other not in told, f"turn {number} is told to expect {other!r}, which is said of others: {told!r}"


def _keyword(word: str) -> Expectation:
    return Expectation(keywords=(word,))
