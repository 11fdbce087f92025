"""Words are found in their speech: by pauses where there are any, and by how long words take to say."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.call.alignment import align, length, pace
from offhook.providers.scripted import hum

TEXT = "We have a large room with a window, and a small room without one on the second floor."


def spoken(word: str, seconds: float) -> bytes:
    return mulaw.encode(np.frombuffer(hum(word, 8_000, seconds), "<i2"))


def babble(seconds: float) -> bytes:
    """Speech without a pause inside words or between them, as the telephone's level goes up and down."""
    at = np.arange(round(8_000 * seconds))
    wave = np.sin(at * 0.2) * 6_000 * (1.2 + np.sin(2 * np.pi * at / 1_600))
    return mulaw.encode(wave.astype(np.int16))


def test_words_that_are_put_together_are_found_to_the_sample() -> None:
    ends, audio = [], b""
    for number, word in enumerate(TEXT.split()):
        audio += spoken(word, 0.2 + 0.05 * (number * 7 % 5))
        ends.append(len(audio))
    assert max(abs(span.end - end) for span, end in zip(align(TEXT, audio, complete=True), ends, strict=True)) <= 320


def swelling(seconds: float) -> NDArray[np.float64]:
    """A word as a person says it: it swells, and dies away."""
    at = np.arange(round(8_000 * seconds))
    return np.asarray(np.sin(at * 0.2) * 12_000 * np.maximum(0.05, np.sin(np.pi * at / len(at))), np.float64)


def joined(parts: Sequence[NDArray[np.float64]], gap: int) -> tuple[bytes, list[int]]:
    """Words with so many samples of silence between them, and where each begins."""
    starts = [sum(len(part) + gap for part in parts[:number]) for number in range(len(parts))]
    whole = np.concatenate([sound for part in parts for sound in (part, np.zeros(gap))])
    return mulaw.encode(whole.astype(np.int16)), starts


@pytest.mark.parametrize("gap", [0, 160, 480, 800])
def test_recorded_words_are_found_however_close_they_lie(gap: int) -> None:
    """None of them is as long as its letters lead one to expect, and nobody has drawn out the last one."""
    lengths = [0.45, 0.4, 0.35, 0.5, 0.38, 0.42, 0.4]
    audio, starts = joined([swelling(length) for length in lengths], gap)
    spans = align("Six one four seven two three five.", audio, complete=True)
    assert max(abs(span.start - start) for span, start in zip(spans, starts, strict=True)) <= 320


def test_the_last_word_may_be_drawn_out() -> None:
    audio, starts = joined([swelling(length) for length in (0.35, 0.3, 0.3, 0.5)], 0)
    spans = align("We have a room.", audio, complete=True)
    assert max(abs(span.start - start) for span, start in zip(spans, starts, strict=True)) <= 800


def test_a_closed_mouth_ends_no_word() -> None:
    """ "Representative" holds four stops; the words beside it tell that none of them is its end."""
    long = np.concatenate([sound for _ in range(4) for sound in (swelling(0.18), np.zeros(320))][:-1])
    audio, starts = joined([swelling(0.2), long, swelling(0.25), swelling(0.3)], 0)
    spans = align("the representative will call", audio, complete=True)
    assert max(abs(span.start - start) for span, start in zip(spans, starts, strict=True)) <= 320


def test_a_clause_ends_at_the_pause() -> None:
    first, second = babble(2.0), babble(3.0)
    spans = align(TEXT, first + mulaw.SILENCE * 3_000 + second, complete=True)
    window, following = spans[7], spans[8]
    assert (window.word, following.word) == ("window,", "and")
    assert abs(window.end - len(first)) <= 400
    assert abs(following.start - len(first) - 3_000) <= 80


def test_silence_before_and_behind_belongs_to_no_word() -> None:
    audio = babble(4.0)
    spans = align(TEXT, mulaw.SILENCE * 4_000 + audio + mulaw.SILENCE * 8_000, complete=True)
    assert spans[0].start == 4_000
    assert spans[-1].end <= 4_000 + len(audio) + 320


def test_long_words_get_more_of_the_sound() -> None:
    short, long = align("a representative", babble(1.0), complete=True)
    assert short.end < 8_000 // 4
    assert long.start == short.end


def test_what_has_not_come_yet_is_expected_at_the_voice_s_pace() -> None:
    slow = pace(TEXT, babble(10.0))
    spans = align(TEXT, babble(1.0), complete=False, pace=slow)
    assert len(spans) == len(TEXT.split())
    assert 70_000 < spans[-1].end < 90_000
    quick = align(TEXT, babble(1.0), complete=False, pace=pace(TEXT, babble(5.0)))
    assert quick[-1].end < 45_000


def test_figures_take_longer_than_they_are_written() -> None:
    assert length("2026.") > 3 * length("year.")
    assert length("B") > length("a")
    assert length("end,") > length("end")


@given(st.text(), st.binary(max_size=4_000), st.booleans())
def test_whatever_it_sounds_like_each_word_has_a_place(text: str, audio: bytes, complete: bool) -> None:
    spans = align(text, audio, complete=complete)
    assert [span.word for span in spans] == text.split()
    assert all(span.start <= span.end for span in spans)
    assert all(before.start <= after.start and before.end <= after.end for before, after in pairwise(spans))
    if complete:
        assert all(span.end <= len(audio) + 480 for span in spans)
