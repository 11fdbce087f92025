"""The stand-ins answer by script, keep their stated delays and count what they were asked."""

import asyncio
import heapq
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest

from offhook.conversation.expectation import Expectation
from offhook.conversation.messages import Message, Role
from offhook.errors import Failure, ProviderError
from offhook.providers import scripted
from offhook.providers.interfaces import Conversation, Transcript, Utterance
from offhook.providers.scripted import Breaks, ScriptedModel, ScriptedTranscriber, ScriptedVoice, by_turn

_T = TypeVar("_T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def _run_once(self) -> None:
        timers: list[Any] = self._scheduled  # type: ignore[attr-defined]
        if not self._ready and timers:  # type: ignore[attr-defined]
            self.now = max(self.now, heapq.nsmallest(1, timers)[0].when())
        super()._run_once()  # type: ignore[misc]


async def drain(stream: AsyncIterator[_T]) -> list[tuple[float, _T]]:
    """Everything a stream yields, with the time at which each came."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    return [(round(loop.time() - start, 6), item) async for item in stream]


def run(stream: AsyncIterator[_T]) -> list[tuple[float, _T]]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(drain(stream))


def until_error(stream: AsyncIterator[_T]) -> list[_T]:
    """What a stream yields before it raises, as it must."""
    pieces: list[_T] = []

    async def read() -> None:
        async for piece in stream:
            pieces.append(piece)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner, pytest.raises(ProviderError):
        runner.run(read())
    return pieces


def heard(mulaw: bytes = b"\xff") -> Utterance:
    return Utterance(mulaw, Expectation())


def talk(*users: str) -> Conversation:
    return Conversation(tuple(Message(Role.USER, user) for user in users))


def test_transcripts_come_in_order_after_the_delay_and_then_there_are_no_words() -> None:
    ear = ScriptedTranscriber(["yes", Transcript("", understood=False)], delay=0.25)
    assert run(ear.transcribe(heard())) == [(0.25, Transcript("yes"))]
    assert run(ear.transcribe(heard())) == [(0.25, Transcript("", understood=False))]
    assert run(ear.transcribe(heard())) == [(0.25, Transcript(""))]
    assert (len(ear.asked), ear.running, ear.cancelled) == (3, 0, [])


def test_partials_grow_and_the_final_transcript_keeps_its_time() -> None:
    ear = ScriptedTranscriber(["two thirty p m"], delay=0.3, partials_every=0.1)
    assert run(ear.transcribe(heard())) == [
        (0.1, Transcript("two", final=False)),
        (0.2, Transcript("two thirty", final=False)),
        (0.3, Transcript("two thirty p m")),
    ]


def test_by_turn_gives_one_answer_to_audio_that_goes_on() -> None:
    ear = ScriptedTranscriber(by_audio=by_turn(["one", "two"]))
    turns = [b"ab", b"abcd", b"abc", b"x", b"q"]
    assert [run(ear.transcribe(heard(audio)))[0][1].text for audio in turns] == ["one", "one", "one", "two", ""]


def test_a_reply_comes_word_by_word_and_is_chosen_by_turn() -> None:
    model = ScriptedModel(["Hi there.", " Bye  now\n"], first_token=0.3, tokens_per_second=50)
    assert run(model.reply(talk("hello"))) == [(0.3, "Hi"), (0.32, " there.")]
    assert run(model.reply(talk("hello"))) == [(0.3, "Hi"), (0.32, " there.")]
    assert "".join(str(piece) for _, piece in run(model.reply(talk("a", "b")))) == " Bye  now\n"
    assert "".join(str(piece) for _, piece in run(model.reply(talk("a", "b", "c")))) == " Bye  now\n"


def test_a_voice_hums_each_word_for_its_length() -> None:
    voice = ScriptedVoice(delay=0.1, rate=8000, seconds_per_word=0.3, realtime=True)
    pieces = run(voice.speak("good day good"))
    assert [at for at, _ in pieces] == [0.1, 0.4, 0.7]
    assert [len(piece) for _, piece in pieces] == [4800] * 3
    assert pieces[0][1] == pieces[2][1] != pieces[1][1]
    assert run(ScriptedVoice().speak("")) == []


def test_scripted_failures_refuse_break_off_and_hang() -> None:
    refused = ProviderError(Failure.REFUSED, "no")
    with pytest.raises(ProviderError, match="no"):
        run(ScriptedTranscriber([refused]).transcribe(heard()))
    voice = ScriptedVoice(errors=[refused, None], words_before_error=1)
    assert len(until_error(voice.speak("one two"))) == 1
    assert len(run(voice.speak("one two"))) == 2
    assert until_error(ScriptedModel([Breaks("half of", refused)]).reply(talk("x"))) == ["half", " of"]


def test_a_request_that_is_cancelled_is_counted() -> None:
    model = ScriptedModel(hang=True)

    async def story() -> None:
        task = asyncio.create_task(drain(model.reply(talk("x"))))
        await asyncio.sleep(100)
        assert model.running == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(story())
    assert (model.running, model.cancelled) == (0, [talk("x")])


def test_named_stand_ins_take_their_script_from_the_name() -> None:
    ear = scripted.transcriber("yes|no")
    assert [run(ear.transcribe(heard()))[0][1].text for _ in range(2)] == ["yes", "no"]
    assert "".join(str(piece) for _, piece in run(scripted.language_model("").reply(talk("ahoy")))) == "You said: ahoy"
    assert "".join(str(piece) for _, piece in run(scripted.language_model("Well.").reply(talk("ahoy")))) == "Well."
    assert len(run(scripted.voice("").speak("hm"))) == 1
