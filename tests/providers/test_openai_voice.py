"""OpenAI's voices: the samples as they are, whatever the cuts, and nothing that is no audio."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_kit import KEY, drain

from offhook.errors import ConfigurationError
from offhook.providers.scripted import hum
from offhook.providers.voices import openai
from offhook.providers.voices.openai import LONGEST, OpenAIVoice, fitting
from offhook.simulator.openai_server import LocalOpenAI, Pace, Script

pytestmark = pytest.mark.usefixtures("either_client")


def speak(text: str, **given: Any) -> tuple[list[bytes], dict[str, Any]]:
    async def story() -> tuple[list[bytes], dict[str, Any]]:
        async with LocalOpenAI(Script(word_seconds=0.1, speech=Pace(then=0.001))) as server:
            voice = OpenAIVoice(**{"api_key": KEY, "base_url": server.base_url} | given)
            pieces = await drain(voice.speak(text))
            await voice.aclose()
            return pieces, server.requests[0].asked

    return asyncio.run(story())


def test_the_samples_come_through_whatever_the_cuts() -> None:
    pieces, asked = speak("good day to you")
    assert b"".join(pieces) == b"".join(hum(word, 24_000, 0.1) for word in ["good", "day", "to", "you"])
    assert any(len(piece) % 2 for piece in pieces)
    assert asked == {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": "good day to you",
        "response_format": "pcm",
    }


def test_instructions_speed_and_voice_are_passed_on() -> None:
    _, asked = speak("hello", voice="marin", instructions="calmly", speed=1.2, made_up=1)
    assert (asked["voice"], asked["instructions"], asked["speed"], asked["made_up"]) == ("marin", "calmly", 1.2, 1)
    with pytest.raises(ConfigurationError, match="no instructions"):
        OpenAIVoice("tts-1", instructions="calmly")


def test_a_text_that_is_too_long_is_spoken_as_far_as_it_goes() -> None:
    _, asked = speak("many words " * 800)
    assert 4_000 < len(asked["input"]) <= LONGEST


@given(st.text(alphabet="ab ", max_size=LONGEST + 50))
def test_what_fits_is_a_beginning_and_ends_between_words(text: str) -> None:
    kept = fitting(text)
    assert text.startswith(kept)
    assert len(kept) <= LONGEST
    assert kept == text or text[len(kept)] == " " or " " not in text[1 : LONGEST + 1]


def test_a_name_may_choose_the_voice() -> None:
    assert openai.voice("gpt-4o-mini-tts:marin")._voice == "marin"
    assert openai.voice("tts-1")._model == "tts-1"
    with pytest.raises(ConfigurationError, match="which model"):
        openai.voice("")


def test_its_fingerprint_tells_all_that_changes_its_sound() -> None:
    others: list[dict[str, Any]] = [
        {"model": "tts-1"},
        {"voice": "nova"},
        {"instructions": "calm"},
        {"speed": 1.2},
        {"rate": 16_000},
        {"base_url": "http://127.0.0.1:2/v1"},
    ]

    async def story() -> None:
        same = {"api_key": KEY, "base_url": "http://127.0.0.1:1/v1"}
        voices = [OpenAIVoice(**same | given) for given in [{}, *others]]
        prints = [voice.fingerprint for voice in voices]
        assert len(set(prints)) == len(voices)
        assert not any(KEY in text for text in prints)
        assert OpenAIVoice(api_key="sk-another", base_url="http://127.0.0.1:1/v1").fingerprint == prints[0]
        for voice in voices:
            await voice.aclose()

    asyncio.run(story())
