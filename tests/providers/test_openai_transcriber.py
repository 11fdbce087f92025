"""Uploaded utterances: a file the server takes, however short, with hints, and never the prompt as an answer."""

import asyncio
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_kit import KEY, drain, utterance

from offhook.audio import mulaw, wav
from offhook.conversation.expectation import Expectation
from offhook.errors import ConfigurationError
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.transcribers import openai
from offhook.providers.transcribers.openai import OpenAITranscriber, wav_file
from offhook.providers.transcribers.openai_prompt import hint, is_echo
from offhook.providers.transcribers.openai_realtime import RealtimeTranscriber
from offhook.simulator.openai_server import LocalOpenAI, Script

pytestmark = pytest.mark.usefixtures("either_client")

SIZES = ("small", "medium", "large")


def hear(asked: Utterance, text: str, model: str = "gpt-4o-transcribe") -> tuple[list[Transcript], dict[str, Any]]:
    async def story() -> tuple[list[Transcript], dict[str, Any]]:
        async with LocalOpenAI(Script(transcripts=[text])) as server:
            ear = OpenAITranscriber(model, api_key=KEY, base_url=server.base_url, temperature=0)
            found = await drain(ear.transcribe(asked))
            await ear.aclose()
            return found, server.requests[0].asked

    return asyncio.run(story())


def test_transcripts_grow_until_they_are_final() -> None:
    found, asked = hear(utterance(1.5, SIZES, "en"), "a large one")
    assert found == [
        Transcript("a", final=False),
        Transcript("a large", final=False),
        Transcript("a large one", final=False),
        Transcript("a large one"),
    ]
    assert asked.pop("peak") > 1_000
    assert asked == {
        "model": "gpt-4o-transcribe",
        "response_format": "json",
        "stream": "true",
        "language": "en",
        "prompt": "The caller may say: small, medium, large.",
        "temperature": "0",
        "seconds": 1.5,
    }


def test_whisper_is_asked_for_the_whole() -> None:
    found, asked = hear(utterance(), "yes", "whisper-1")
    assert found == [Transcript("yes")]
    assert "stream" not in asked


def test_no_words_are_no_words() -> None:
    assert hear(utterance(), "")[0] == [Transcript("")]


@pytest.mark.parametrize("samples", [0, 1, 80, 799, 800, 1_000, 8_000])
def test_a_short_yes_is_padded_and_asked_about(samples: int) -> None:
    found, asked = hear(Utterance(b"\x20" * samples, Expectation()), "yes")
    assert found[-1] == Transcript("yes")
    assert asked["seconds"] == max(samples / 8_000, 0.125)


@given(st.binary(max_size=3_000))
def test_any_audio_becomes_a_file_of_16_khz(audio: bytes) -> None:
    rate, samples = wav.read(wav_file(audio))
    assert rate == 16_000
    assert len(samples) == 2 * max(len(audio), 1_000)


def test_the_file_sounds_as_the_audio_does() -> None:
    tone = np.rint(8_000 * np.sin(np.arange(8_000) * 2 * np.pi * 440 / 8_000)).astype(np.int16)
    _, samples = wav.read(wav_file(mulaw.encode(tone)))
    difference = samples[200:-200:2].astype(int) - tone[100:-100]
    assert np.sqrt(np.mean(difference**2)) < 200


def test_short_audio_gets_no_prompt() -> None:
    assert hint(utterance(0.9, SIZES)) == ""
    assert hint(utterance(1.0, SIZES)) != ""
    assert hint(utterance(5.0)) == ""


def test_the_prompt_is_not_what_the_caller_said() -> None:
    asked = utterance(2.0, SIZES)
    for echo in ("The caller may say: small, medium, large.", "the caller may say small medium large", "Small, medium"):
        expected = not echo.endswith("medium")
        assert is_echo(echo, SIZES, hint(asked)) is expected
        last = hear(asked, echo)[0][-1]
        assert last == (Transcript("", understood=False) if expected else Transcript(echo))
    one = utterance(2.0, ("Boston",))
    assert not is_echo("Boston.", ("Boston",), hint(one))
    assert not is_echo("small medium large", SIZES, "")


def test_names_choose_the_way() -> None:
    assert isinstance(openai.transcriber("whisper-1"), OpenAITranscriber)
    assert isinstance(openai.transcriber("Systran/faster-whisper-small"), OpenAITranscriber)
    assert isinstance(openai.transcriber("realtime"), RealtimeTranscriber)
    assert isinstance(openai.transcriber("realtime:gpt-4o-mini-transcribe"), RealtimeTranscriber)
    with pytest.raises(ConfigurationError, match="which model"):
        openai.transcriber("")
