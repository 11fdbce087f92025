"""What every built-in provider that can run here must do: one suite for all of them."""

import asyncio
import importlib.util
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio import mulaw
from offhook.conversation.expectation import Answers, Expectation
from offhook.conversation.messages import Message, Role
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Conversation, LanguageModel, Transcriber, Transcript, Utterance, Voice
from offhook.providers.models.generator import Caller, GeneratorModel
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice
from offhook.providers.transcribers.local import LocalTranscriber
from offhook.providers.voices.local import LocalVoice, plain

PROMPT = 0.05
"""Seconds within which a cancelled request is over."""
YES_OR_NO = Expectation(Answers.YES_NO, "yes | no")


async def spoken_by(call: Caller, history: list[dict[str, str]]) -> AsyncGenerator[str, None]:
    for word in ("one ", "two ", "three"):
        await asyncio.sleep(0.02)
        yield word


needs_pocketsphinx = pytest.mark.skipif(importlib.util.find_spec("pocketsphinx") is None, reason="no pocketsphinx")
needs_espeak = pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="no espeakng-loader")

TRANSCRIBERS: list[Any] = [
    pytest.param(lambda: ScriptedTranscriber(["yes"] * 9, delay=0.1, partials_every=0.02), id="scripted"),
    pytest.param(lambda: LocalTranscriber(1), id="local", marks=needs_pocketsphinx),
]
MODELS: list[Any] = [
    pytest.param(lambda: ScriptedModel(["one two three"], first_token=0.1), id="scripted"),
    pytest.param(lambda: GeneratorModel(spoken_by), id="generator"),
]
VOICES: list[Any] = [
    pytest.param(lambda: ScriptedVoice(delay=0.02, realtime=True, seconds_per_word=0.05), id="scripted"),
    pytest.param(lambda: LocalVoice(), id="local", marks=needs_espeak),
]


def story(told: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end, and see that no task is left."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await told()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(bounded())


def noise(seconds: float) -> Utterance:
    """A hiss as loud as speech."""
    samples = np.random.default_rng(1).normal(0, 3000, int(8000 * seconds))
    return Utterance(mulaw.encode(samples.clip(-32000, 32000).astype(np.int16)), YES_OR_NO)


def talk(text: str = "hello") -> Conversation:
    return Conversation((Message(Role.USER, text),), "CA1", {"From": "+1"})


async def pieces_of(stream: AsyncIterator[Any]) -> list[Any]:
    return [piece async for piece in stream]


def length(pieces: list[bytes]) -> int:
    """In bytes. espeak-ng varies its pitch by chance, so the same text is never the same samples."""
    return sum(map(len, pieces))


async def is_dropped_promptly(stream: AsyncIterator[Any], after: float) -> None:
    """Cancel a request in the middle and measure how long it takes to be over."""
    task = asyncio.create_task(pieces_of(stream))
    await asyncio.sleep(after)
    assert not task.done()
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - started < PROMPT


@pytest.mark.parametrize("make", TRANSCRIBERS)
class TestTranscribers:
    def test_the_last_transcript_and_no_other_is_final(self, make: Callable[[], Transcriber]) -> None:
        async def told() -> None:
            ear = make()
            assert isinstance(ear, Transcriber)
            await ear.ready()
            transcripts = await pieces_of(ear.transcribe(noise(0.8)))
            assert all(isinstance(transcript, Transcript) for transcript in transcripts)
            assert [transcript.final for transcript in transcripts] == [False] * (len(transcripts) - 1) + [True]
            await ear.aclose()

        story(told)

    def test_a_request_is_dropped_promptly_and_the_next_one_served(self, make: Callable[[], Transcriber]) -> None:
        async def told() -> None:
            ear = make()
            await ear.ready()
            await is_dropped_promptly(ear.transcribe(noise(6)), 0.03)
            assert (await pieces_of(ear.transcribe(noise(0.5))))[-1].final
            await ear.aclose()

        story(told)

    def test_two_requests_at_once_are_independent(self, make: Callable[[], Transcriber]) -> None:
        async def told() -> None:
            ear = make()
            await ear.ready()
            alone = (await pieces_of(ear.transcribe(noise(1.5))))[-1]
            first = asyncio.create_task(pieces_of(ear.transcribe(noise(3))))
            second = asyncio.create_task(pieces_of(ear.transcribe(noise(1.5))))
            await asyncio.sleep(0)
            first.cancel()
            assert (await second)[-1] == alone
            await ear.aclose()
            await ear.aclose()

        story(told)

    def test_any_amount_of_audio_is_answered(self, make: Callable[[], Transcriber]) -> None:
        async def told() -> None:
            ear = make()
            for audio in (b"", b"\x7f", b"\xff" * 159, b"\xff" * 1601, bytes(range(256)) * 30, b"\x80" * 480_000):
                [*_, last] = await pieces_of(ear.transcribe(Utterance(audio, YES_OR_NO)))
                assert last.final
            await ear.aclose()

        story(told)


@pytest.mark.parametrize("make", MODELS)
class TestModels:
    def test_a_reply_streams_text(self, make: Callable[[], LanguageModel]) -> None:
        async def told() -> None:
            model = make()
            assert isinstance(model, LanguageModel)
            await model.ready()
            pieces = await pieces_of(model.reply(talk()))
            assert len(pieces) > 1
            assert "".join(pieces) == "one two three"
            await model.aclose()
            await model.aclose()

        story(told)

    def test_a_request_is_dropped_promptly_and_others_go_on(self, make: Callable[[], LanguageModel]) -> None:
        async def told() -> None:
            model = make()
            other = asyncio.create_task(pieces_of(model.reply(talk())))
            await is_dropped_promptly(model.reply(talk()), 0.01)
            assert "".join(await other) == "one two three"
            await model.aclose()

        story(told)


@pytest.mark.parametrize("make", VOICES)
class TestVoices:
    def test_speech_streams_samples(self, make: Callable[[], Voice]) -> None:
        async def told() -> None:
            voice = make()
            assert isinstance(voice, Voice)
            assert voice.rate in (8000, 16000, 22050, 24000, 48000)
            await voice.ready()
            pieces = await pieces_of(voice.speak("Hello there, how are you today?"))
            assert len(pieces) > 1
            samples = np.frombuffer(b"".join(pieces), "<i2")
            assert 0.2 < len(samples) / voice.rate < 6
            assert np.abs(samples).max() > 500
            await voice.aclose()
            await voice.aclose()

        story(told)

    def test_a_request_is_dropped_promptly_and_the_next_one_served(self, make: Callable[[], Voice]) -> None:
        async def told() -> None:
            voice = make()
            await voice.ready()
            await is_dropped_promptly(voice.speak("and so on " * 500), 0.03)
            assert await pieces_of(voice.speak("Yes."))
            await voice.aclose()

        story(told)

    def test_one_that_is_heard_slowly_does_not_hold_up_another(self, make: Callable[[], Voice]) -> None:
        async def told() -> None:
            voice = make()
            await voice.ready()
            async with aclosing(cast(AsyncGenerator[bytes, None], voice.speak("first " * 9))) as slow:
                begun = await anext(slow)
                async with asyncio.timeout(2):
                    alone = length(await pieces_of(voice.speak("second")))
                rest = await pieces_of(slow)
            assert length([begun, *rest]) == pytest.approx(length(await pieces_of(voice.speak("first " * 9))), rel=0.02)
            assert length(await pieces_of(voice.speak("second"))) == pytest.approx(alone, rel=0.02)
            await voice.aclose()

        story(told)

    def test_any_text_is_spoken_or_passed_over(self, make: Callable[[], Voice]) -> None:
        async def told() -> None:
            voice = make()
            for text in (
                "",
                " \n",
                "😀",
                "<speak><break time='9s'/></speak>",
                "\x00\x01+90S \x1b[0m",
                "\ud800",
                "אב 你",
            ):
                await pieces_of(voice.speak(text))
            await voice.aclose()

        story(told)


@needs_espeak
def test_the_local_voice_speaks_a_whole_page_and_starts_at_once() -> None:
    async def told() -> None:
        voice = LocalVoice()
        await voice.ready()
        started, first, count = time.monotonic(), 0.0, 0
        async for piece in voice.speak("word " * 1000):
            first = first or time.monotonic() - started
            count += len(piece)
        assert first < 0.2
        assert count / 2 / voice.rate > 200
        await voice.aclose()

    story(told)


@needs_espeak
def test_mark_up_is_read_out_and_commands_are_not_obeyed() -> None:
    async def told() -> None:
        voice = LocalVoice()
        lengths = [
            length(await pieces_of(voice.speak(text))) / 2 / voice.rate
            for text in ("one two", '<break time="9s"/> one two', "\x01+90S one two", "one two")
        ]
        assert lengths[0] == pytest.approx(lengths[3], rel=0.02)
        assert lengths[1] < 6
        assert lengths[2] > lengths[0]
        await voice.aclose()

    story(told)


@given(st.text())
def test_what_is_spoken_holds_no_control_characters(text: str) -> None:
    cleaned = plain(text)
    assert cleaned.isprintable()
    assert cleaned.encode().decode() == cleaned == plain(cleaned)


@needs_pocketsphinx
def test_the_local_transcriber_refuses_where_nothing_is_expected_or_a_grammar_makes_no_sense() -> None:
    async def told() -> None:
        ear = LocalTranscriber(1)
        for grammar in ("", "  ", "yes <rule>", "(yes", "| yes", "{}", "()"):
            with pytest.raises(ProviderError, match="local transcriber") as caught:
                await pieces_of(ear.transcribe(Utterance(b"\x20" * 8000, Expectation(grammar=grammar))))
            assert caught.value.kind is Failure.REFUSED
        assert (await pieces_of(ear.transcribe(Utterance(b"\x20" * 8000, YES_OR_NO))))[-1].final
        await ear.aclose()

    story(told)
