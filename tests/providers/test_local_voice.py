"""espeak-ng speaks whole pages at once, and takes text for text."""

import asyncio
import importlib.util
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.providers.interfaces import SpokenWord
from offhook.providers.voices.local import LocalVoice, plain

needs_espeak = pytest.mark.skipif(importlib.util.find_spec("espeakng_loader") is None, reason="no espeakng-loader")


def story(told: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end, and see that no task is left."""

    async def bounded() -> None:
        async with asyncio.timeout(30):
            await told()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(bounded())


async def pieces_of(stream: AsyncIterator[bytes | SpokenWord]) -> list[bytes]:
    return [piece async for piece in stream if isinstance(piece, bytes)]


def length(pieces: list[bytes]) -> int:
    """In bytes. espeak-ng varies its pitch by chance, so the same text is never the same samples."""
    return sum(map(len, pieces))


@needs_espeak
def test_the_local_voice_speaks_a_whole_page_and_starts_at_once() -> None:
    async def told() -> None:
        voice = LocalVoice()
        await voice.ready()
        started, first, count = time.monotonic(), 0.0, 0
        async for piece in voice.speak("word " * 1000):
            first = first or time.monotonic() - started
            count += len(piece) if isinstance(piece, bytes) else 0
        assert first < 0.2
        assert count / 2 / voice.rate > 200
        await voice.aclose()

    story(told)


@needs_espeak
def test_the_local_voice_says_where_words_begin() -> None:
    async def told() -> None:
        voice, begun, samples = LocalVoice(), list[SpokenWord](), 0
        async for piece in voice.speak("Hello there, \x02 how are -  you?"):
            if isinstance(piece, SpokenWord):
                assert piece.sample >= samples, "before the samples in which it begins"
                begun.append(piece)
            else:
                samples += len(piece) // 2
        assert [word.word for word in begun] == [0, 1, 2, 3, 5], "a dash is not spoken"
        assert begun == sorted(begun, key=lambda word: word.sample)
        assert begun[-1].sample < samples
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


def test_its_fingerprint_is_the_language_and_the_speaker() -> None:
    assert len({LocalVoice(name).fingerprint for name in ("en-us", "en-us+f2", "de")}) == 3
    assert LocalVoice("en-US").fingerprint == LocalVoice().fingerprint
