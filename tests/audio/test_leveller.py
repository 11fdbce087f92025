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


@pytest.mark.parametrize("level", [-36.0, -30.0, -24.0, -18.0, -12.0])
def test_the_second_utterance_of_a_voice_leaves_at_the_target(level: float) -> None:
    leveller = Leveller()
    for _ in range(2):
        utterance = leveller.utterance()
        out = [utterance.feed(piece) for piece in np.array_split(speech(level), 40)]
        utterance.finish()
    assert abs(active_speech(np.concatenate(out)) - TARGET) <= 2


def test_the_gain_does_not_change_within_an_utterance() -> None:
    leveller = Leveller()
    leveller.learn(speech(-30))
    quiet, loud = leveller.utterance(), leveller.utterance()
    ramp = np.arange(0, 2_000, 10, dtype=np.int16)
    first = quiet.feed(ramp)
    loud.feed(speech(-10))
    assert np.array_equal(first, loud.feed(ramp))
    assert np.array_equal(np.diff(first) > 0, np.ones(first.size - 1, bool))


def test_a_voice_that_says_nothing_teaches_nothing() -> None:
    leveller = Leveller()
    leveller.learn(np.zeros(8_000, np.int16))
    assert leveller.level is None
    assert leveller.gain == 1.0


def test_the_gain_is_gentle() -> None:
    leveller = Leveller()
    leveller.learn(speech(-60))
    assert 20 * np.log10(leveller.gain) == pytest.approx(15)


@given(arrays(np.float32, st.integers(1, 200), elements=st.floats(-8, 8, width=32)))
def test_peaks_are_bent_and_never_cut_or_turned(share: NDArray[np.float32]) -> None:
    out = bent(share)
    order = np.argsort(share, kind="stable")
    assert np.all(np.diff(out[order].astype(int)) >= 0)
    assert np.all(np.abs(out.astype(int)) <= 32_767)
    assert np.all((np.sign(out) == np.sign(share)) | (np.abs(share) < 2e-5))
