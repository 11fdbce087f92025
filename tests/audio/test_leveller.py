"""A voice, brought to the level of the telephone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from offhook.audio.level import active_speech
from offhook.audio.leveller import TARGET, Leveller, bent


def speech(dbov: float, seconds: float = 2.0) -> NDArray[np.int16]:
    """Syllables of noise, four a second, at an active level of about `dbov`."""
    rng = np.random.default_rng(7)
    time = np.arange(int(8_000 * seconds)) / 8_000
    wave = rng.normal(size=time.size) * (0.3 + np.abs(np.sin(2 * np.pi * 2 * time)))
    wave *= 10 ** (dbov / 20) / np.sqrt(np.mean(wave**2))
    return np.clip(wave * 32_768, -32_768, 32_767).astype(np.int16)


def uttered(leveller: Leveller, pcm: NDArray[np.int16], pieces: int = 40) -> NDArray[np.int16]:
    utterance = leveller.utterance()
    out = [utterance.feed(piece) for piece in np.array_split(pcm, pieces)]
    return np.concatenate([*out, utterance.finish()])


LEVELS = [-40.0, -36.0, -30.0, -24.0, -18.0, -12.0, -8.0]


@pytest.mark.parametrize("level", LEVELS)
def test_a_voice_that_was_heard_before_leaves_at_the_target(level: float) -> None:
    leveller = Leveller()
    for _ in range(2):
        out = uttered(leveller, speech(level))
    assert active_speech(out) == pytest.approx(TARGET, abs=1.2)
    assert leveller.level == pytest.approx(active_speech(speech(level)), abs=1)


@pytest.mark.parametrize("level", LEVELS)
def test_a_voice_that_nobody_has_heard_is_soon_at_the_target(level: float) -> None:
    out = uttered(Leveller(), speech(level))
    assert active_speech(out[4_000:]) == pytest.approx(TARGET, abs=2)


@pytest.mark.parametrize("level", LEVELS)
def test_a_whole_utterance_gets_one_gain_of_its_own(level: float) -> None:
    leveller = Leveller()
    leveller.level = -12.0
    assert active_speech(leveller.whole(speech(level))) == pytest.approx(TARGET, abs=1)
    ramp = np.arange(0, 2_000, 10, dtype=np.int16)
    steps = np.diff(leveller.whole(ramp).astype(int))
    assert steps.max() - steps.min() <= 1


@pytest.mark.parametrize(("before", "after"), [(-40.0, -10.0), (-10.0, -40.0)])
def test_a_voice_that_has_changed_is_believed_in_time(before: float, after: float) -> None:
    leveller = Leveller()
    uttered(leveller, speech(before))
    out = uttered(leveller, speech(after, 5.0))
    assert active_speech(out[20_000:]) == pytest.approx(TARGET, abs=2)


def test_the_gain_of_a_known_voice_hardly_changes_within_an_utterance() -> None:
    leveller = Leveller()
    for _ in range(3):
        uttered(leveller, speech(-30))
    pcm = speech(-30)
    loud = np.abs(pcm) > 500
    gain = 20 * np.log10(uttered(leveller, pcm)[loud] / pcm[loud])
    assert gain.max() - gain.min() < 2


def test_the_gain_rises_gently() -> None:
    """Nothing jumps up: eighty decibels a second are 0.4 in 5 ms."""
    pcm = np.concatenate((speech(-12, 1.0), speech(-36, 2.0)))
    loud = np.abs(pcm) > 200
    gain = 20 * np.log10(np.maximum(1, np.abs(uttered(Leveller(), pcm).astype(float))) / np.maximum(1, np.abs(pcm)))
    assert np.all(np.diff(gain[loud])[np.diff(np.flatnonzero(loud)) == 1] < 0.2)


def test_what_is_right_within_a_decibel_is_left_alone() -> None:
    pcm = speech(-24)
    pcm = np.rint(pcm * 10 ** ((TARGET - active_speech(pcm)) / 20)).astype(np.int16)
    leveller = Leveller()
    leveller.level = TARGET + 0.9
    assert np.array_equal(leveller.whole(pcm), pcm)
    square = np.tile(np.repeat(np.array([2_067, -2_067], np.int16), 25), 400)
    assert np.array_equal(uttered(Leveller(), square), square)


def test_silence_stays_silent_and_teaches_nothing() -> None:
    leveller = Leveller()
    hiss = np.random.default_rng(1).integers(-8, 9, 8_000).astype(np.int16)
    assert np.array_equal(uttered(leveller, hiss), hiss)
    assert not leveller.whole(np.zeros(8_000, np.int16)).any()
    assert leveller.level is None


def test_the_gain_has_an_end() -> None:
    pcm = speech(-55)
    assert active_speech(Leveller().whole(pcm)) == pytest.approx(active_speech(pcm) + 20, abs=0.3)


@given(arrays(np.int16, st.integers(0, 1_500)), st.lists(st.integers(0, 1_500), max_size=12))
def test_it_is_the_same_however_it_is_cut(pcm: NDArray[np.int16], cuts: list[int]) -> None:
    whole = uttered(Leveller(), pcm, 1)
    utterance = Leveller().utterance()
    out = [utterance.feed(piece) for piece in np.split(pcm, sorted(cut for cut in cuts if cut <= len(pcm)))]
    assert np.array_equal(np.concatenate([*out, utterance.finish()]), whole)
    assert len(whole) == len(pcm)


def test_speech_is_the_same_however_it_is_cut() -> None:
    """With a gain that changes all the time, unlike most of what is drawn above."""
    pcm = np.concatenate((speech(-12, 1.0), speech(-55, 0.5), speech(-36, 1.0)))
    whole = uttered(Leveller(), pcm, 1)
    for pieces in (7, 60, 2_500):
        assert np.array_equal(uttered(Leveller(), pcm, pieces), whole)


def test_less_than_five_milliseconds_are_held_back() -> None:
    utterance = Leveller().utterance()
    came = left = 0
    for size in (1, 7, 39, 40, 41, 160, 333):
        came += size
        left += len(utterance.feed(np.ones(size, np.int16)))
        assert came - left < 40


@given(arrays(np.float64, st.integers(1, 200), elements=st.floats(-8, 8)))
def test_peaks_are_bent_and_never_cut_or_turned(share: NDArray[np.float64]) -> None:
    out = bent(share)
    order = np.argsort(share, kind="stable")
    assert np.all(np.diff(out[order].astype(int)) >= 0)
    assert np.all(np.abs(out.astype(int)) <= 32_767)
    assert np.all((np.sign(out) == np.sign(share)) | (np.abs(share) < 2e-5))
