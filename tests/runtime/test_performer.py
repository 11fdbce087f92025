"""The performer: what providers yield or raise becomes inputs, in order of preference, and can be cancelled."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio import mulaw
from offhook.call.inputs import (
    Input,
    ReplyFinished,
    ReplyText,
    RequestFailed,
    TranscriptArrived,
    VoiceAudio,
    VoiceFinished,
)
from offhook.call.outputs import AskModel, CallStarted
from offhook.conversation.expectation import Expectation
from offhook.conversation.messages import Message, Role
from offhook.errors import AudioFormatError, Failure, ProviderError
from offhook.providers.interfaces import Transcript
from offhook.providers.scripted import Breaks, ScriptedModel, ScriptedTranscriber, ScriptedVoice
from offhook.runtime.performer import Performer, preferred, spoken
from offhook.runtime.services import Services
from offhook.simulator import world

QUESTION = AskModel(7, (Message(Role.USER, "Hello?"),), speculative=False)


def performed(services: Services, work: Callable[[Performer], Coroutine[Any, Any, None]]) -> list[Input]:
    delivered: list[Input] = []

    async def story() -> None:
        performer = Performer(services, "en", delivered.append)
        performer.started(CallStarted("CA1", "MZ1", True, {"From": "+1"}))
        await work(performer)
        await performer.finish()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    world.run(story(), limit=60)
    return delivered


def asked(*models: Any) -> list[Input]:
    async def work(performer: Performer) -> None:
        performer.ask(QUESTION)
        await asyncio.sleep(10)

    return performed(Services([], list(models), []), work)


def test_a_reply_comes_word_by_word() -> None:
    model = ScriptedModel(["One two."])
    assert asked(model) == [ReplyText(7, "One"), ReplyText(7, " two."), ReplyFinished(7)]
    assert model.asked[0].call_id == "CA1"
    assert model.asked[0].parameters == {"From": "+1"}


def test_a_reply_that_breaks_keeps_what_came() -> None:
    error = ProviderError(Failure.UNREACHABLE, "gone")
    assert asked(ScriptedModel([Breaks("One", error)])) == [
        ReplyText(7, "One"),
        RequestFailed(7, Failure.UNREACHABLE, "gone"),
    ]


@pytest.mark.parametrize("error", [ProviderError(Failure.OVERLOADED, "busy"), ValueError("a plugin's fault")])
def test_the_next_is_asked_only_while_nothing_has_come(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    second = ScriptedModel(["Two."])
    assert asked(ScriptedModel([error]), second) == [ReplyText(7, "Two."), ReplyFinished(7)]
    assert "the next one is asked" in caplog.text
    assert isinstance(asked(ScriptedModel([Breaks("One", error)]), second)[-1], RequestFailed)
    assert len(second.asked) == 1


def test_nothing_at_all_is_a_failure() -> None:
    assert asked(ScriptedModel([""])) == [RequestFailed(7, Failure.BROKEN, "the provider had nothing to say")]
    assert asked(ScriptedModel([""]), ScriptedModel(["Two."]))[-1] == ReplyFinished(7)


def test_half_a_character_can_be_written_down() -> None:
    (text, _) = asked(ScriptedModel(["Well\ud83d"]))
    assert text == ReplyText(7, "Well?")
    (failed,) = asked(ScriptedModel([ProviderError(Failure.BROKEN, "\udc00")]))
    assert failed == RequestFailed(7, Failure.BROKEN, "?")


def test_transcripts_grow() -> None:
    async def work(performer: Performer) -> None:
        performer.transcribe(3, b"\xff" * 160, Expectation())
        await asyncio.sleep(10)

    transcriber = ScriptedTranscriber(["one two three"], delay=1, partials_every=0.1)
    assert performed(Services([transcriber], [], []), work) == [
        TranscriptArrived(3, "one", final=False),
        TranscriptArrived(3, "one two", final=False),
        TranscriptArrived(3, "one two three"),
    ]


def test_a_transcriber_that_stops_before_its_last_word_has_failed() -> None:
    class Stops(ScriptedTranscriber):
        async def transcribe(self, utterance: Any) -> AsyncIterator[Transcript]:
            yield Transcript("one", final=False)

    async def work(performer: Performer) -> None:
        performer.transcribe(3, b"", Expectation())
        await asyncio.sleep(1)

    failed = performed(Services([Stops()], [], []), work)[-1]
    assert isinstance(failed, RequestFailed)
    assert failed.kind is Failure.BROKEN


@pytest.mark.parametrize("at", [0.0, 0.05, 0.15])
def test_what_is_cancelled_is_let_go_and_says_nothing_more(at: float) -> None:
    voice = ScriptedVoice(delay=0.1, realtime=True)

    async def work(performer: Performer) -> None:
        performer.synthesize(1, "one two three four")
        await asyncio.sleep(at)
        performer.cancel(1)
        performer.cancel(1)
        performer.cancel(99)
        await asyncio.sleep(5)
        assert voice.running == 0

    delivered = performed(Services([], [], [voice]), work)
    assert all(isinstance(event, VoiceAudio) for event in delivered)
    assert len(delivered) == (1 if at > 0.1 else 0)


def test_a_provider_that_will_not_let_go_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    class Clings(ScriptedVoice):
        async def speak(self, text: str) -> AsyncIterator[bytes]:
            for _ in range(3):
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.sleep(1.5)
            yield b""

    async def story() -> None:
        performer = Performer(Services([], [], [Clings()]), "en", lambda _: None)
        performer.synthesize(1, "one")
        await asyncio.sleep(0.1)
        before = asyncio.get_running_loop().time()
        await performer.finish()
        assert asyncio.get_running_loop().time() - before == pytest.approx(1.0)
        await asyncio.sleep(10)

    world.run(story(), limit=60)
    assert "do not let themselves be cancelled" in caplog.text


def collected(stream: AsyncIterator[Any]) -> list[Any]:
    async def story() -> list[Any]:
        return [item async for item in stream]

    return world.run(story(), limit=60)


class Pieces(ScriptedVoice):
    """Says what it is given."""

    def __init__(self, pieces: list[bytes], rate: int = 8_000) -> None:
        super().__init__(rate=rate)
        self._pieces = pieces

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@given(st.binary(min_size=2, max_size=3_000), st.lists(st.integers(1, 700), max_size=20))
def test_speech_is_the_same_however_it_is_cut(pcm: bytes, cuts: list[int]) -> None:
    pcm = b"\x01\x00" * 8 + pcm[: len(pcm) // 2 * 2]  # no signature of anything
    pieces, rest = [], pcm
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    whole = b"".join(collected(spoken(Pieces([pcm]), "")))
    assert b"".join(collected(spoken(Pieces([*pieces, rest]), ""))) == whole
    assert len(whole) == len(pcm) // 2


@pytest.mark.parametrize("size", [1, 2, 3, 50, 10_000])
@pytest.mark.parametrize("data", [b"RIFF\x24\x00\x00\x00WAVEfmt ", b'{"error": "no"}', b"ID3\x04\x00"])
def test_what_is_no_sound_is_refused_however_it_is_cut(data: bytes, size: int) -> None:
    data = data.ljust(400, b" ")
    voice = Pieces([data[at : at + size] for at in range(0, len(data), size)])
    with pytest.raises(AudioFormatError):
        collected(spoken(voice, ""))


def test_the_first_sound_leaves_as_soon_as_it_can_be_judged() -> None:
    first, *_ = collected(spoken(Pieces([b"\x01\x00" * 160] * 10), ""))
    assert first == mulaw.encode(__import__("numpy").ones(160, "<i2"))


def test_preference_is_the_order_given() -> None:
    async def way(*items: int, error: Exception | None = None) -> AsyncIterator[int]:
        for item in items:
            yield item
        if error is not None:
            raise error

    bad = ProviderError(Failure.TIMEOUT, "late")
    assert collected(preferred([partial(way, 1, 2), partial(way, 3)])) == [1, 2]
    assert collected(preferred([partial(way, error=bad), partial(way), partial(way, 3)])) == [3]
    with pytest.raises(ProviderError, match="late"):
        collected(preferred([partial(way), partial(way, error=bad)]))


def test_a_voice_speaks_and_says_when_it_is_done() -> None:
    async def work(performer: Performer) -> None:
        performer.synthesize(5, "one")
        await asyncio.sleep(5)

    audio, end = performed(Services([], [], [ScriptedVoice()]), work)
    assert isinstance(audio, VoiceAudio)
    assert len(audio.mulaw) == 2_400
    assert end == VoiceFinished(5)
