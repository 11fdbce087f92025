"""Levels and fades."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.audio.level import FLOOR, Noise, active_speech, dbov, decibels, fade, power


def tone(amplitude: float, count: int = 8_000) -> NDArray[np.int16]:
    return np.rint(amplitude * np.sin(np.arange(count) * 2 * np.pi / 16)).astype(np.int16)


def test_a_full_sine_is_three_db_below_full_scale_and_a_square_at_it() -> None:
    assert dbov(tone(32_767)) == pytest.approx(-3.01, abs=0.01)
    assert dbov(np.full(100, -32_768, np.int16)) == 0
    assert dbov(tone(3_276.7)) == pytest.approx(-23.01, abs=0.01)


def test_silence_and_nothing_are_at_the_floor() -> None:
    assert dbov(np.zeros(160, np.int16)) == dbov(np.zeros(0, np.int16)) == FLOOR
    assert active_speech(np.zeros(1_600, np.int16)) == active_speech(np.zeros(0, np.int16)) == FLOOR


def test_pauses_and_soft_noise_do_not_count_as_speech() -> None:
    speech = np.concatenate((tone(30, 16_000), tone(8_000, 8_000), np.zeros(40_000, np.int16)))
    assert active_speech(speech) == pytest.approx(dbov(tone(8_000)), abs=0.05)
    assert dbov(speech) < active_speech(speech) - 8


@given(st.binary(max_size=400), st.booleans(), st.booleans())
def test_a_fade_changes_ten_milliseconds_and_never_makes_louder(data: bytes, head: bool, tail: bool) -> None:
    faded = fade(data, head=head, tail=tail)
    assert len(faded) == len(data)
    before, after = abs(mulaw.decode(data).astype(int)), abs(mulaw.decode(faded).astype(int))
    assert (after <= before).all()
    start, end = 80 if head else 0, len(data) - (80 if tail else 0)
    assert faded[start:end] == data[start:end].replace(b"\x7f", b"\xff")


def test_a_fade_begins_and_ends_near_silence() -> None:
    loud = b"\x80" * 400
    pcm = mulaw.decode(fade(loud, head=True, tail=True))
    assert pcm[0] < 300
    assert pcm[-1] < 300
    assert (np.diff(pcm[:80].astype(int)) >= 0).all()


@given(st.floats(FLOOR, 0))
def test_levels_and_powers_are_two_names_of_one_thing(level: float) -> None:
    assert decibels(power(level)) == pytest.approx(level)
    assert decibels(0) == FLOOR


def test_the_noise_of_a_line_is_its_quietest_quarter_of_a_second() -> None:
    noise = Noise()
    for level in [-30] * 40 + [-55] * 8 + [-30] * 40:
        noise.hear(power(level))
    assert decibels(noise.power) == pytest.approx(-55)


def test_noise_that_came_to_stay_is_believed_after_six_seconds() -> None:
    noise = Noise()
    for level in [-70] * 40 + [-40] * 150:
        noise.hear(power(level))
    assert decibels(noise.power) == pytest.approx(-70)
    for _ in range(100):
        noise.hear(power(-40))
    assert decibels(noise.power) == pytest.approx(-40)


def test_before_a_quarter_of_a_second_nothing_is_known_of_the_noise() -> None:
    noise = Noise()
    for _ in range(7):
        noise.hear(power(-40))
    assert noise.power == 0
