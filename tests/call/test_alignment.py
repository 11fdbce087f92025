"""Words are found in their speech: by pauses where there are any, and by how long words take to say."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

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
