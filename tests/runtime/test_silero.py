"""The voice detector against the values of the original network."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from offhook.runtime.silero import CONTEXT, Silero

EXPECTED = Path(__file__).parents[3] / "shared" / "reference" / "silero" / "expected.npz"

REGRESSION = {0: 0.017, 10: 0.007, 16: 0.747, 17: 0.753, 18: 0.889, 19: 0.801, 20: 0.719, 25: 0.022, 30: 0.028}
"""Probabilities by chunk of `voice`: so that a checkout alone notices a change."""


def chunks(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """[n, 288]: every 256 samples with the 32 before them."""
    sound = np.concatenate((np.zeros(CONTEXT, np.float32), pcm.astype(np.float32) / 32_768))
    return np.lib.stride_tricks.sliding_window_view(sound, CONTEXT + 256)[::256]


def probabilities(net: Silero, pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    state, found = net.start(1), []
    for chunk in chunks(pcm):
        probability, state = net(chunk[None], state)
        found.append(float(probability[0]))
    return np.array(found)


def voice() -> NDArray[np.int16]:
    """Half a second of silence, then half a second of something like a vowel: 120 Hz gliding to 150, formants at 700
    and 1,200 Hz, swelling and fading."""
    at = np.arange(4_000) / 8_000
    phase = 2 * np.pi * (120 * at + 30 * at**2)
    sound = np.zeros(4_000)
    for harmonic in range(1, 25):
        hertz = 130 * harmonic
        weight = 1 / (1 + ((hertz - 700) / 150) ** 2) + 0.6 / (1 + ((hertz - 1_200) / 200) ** 2)
        sound += weight * np.sin(harmonic * phase)
    sound *= np.sin(np.pi * at / 0.5) * 6_000 / abs(sound).max()
    return np.concatenate((np.zeros(4_096), np.rint(sound))).astype(np.int16)


@pytest.mark.skipif(not EXPECTED.is_file(), reason=f"no reference values at {EXPECTED}")
def test_within_a_hundred_thousandth_of_the_original() -> None:
    net = Silero()
    with np.load(EXPECTED) as file:
        expected = {name: file[name] for name in file.files}
    recordings = [name.removesuffix("__pcm8k") for name in expected if name.endswith("__pcm8k")]
    assert len(recordings) == 4
    for name in recordings:
        found = probabilities(net, expected[f"{name}__pcm8k"])
        assert np.abs(found - expected[f"{name}__probability"]).max() < 1e-5


def test_a_vowel_is_speech_and_silence_is_not() -> None:
    found = probabilities(Silero(), voice())
    assert {at: round(float(found[at]), 3) for at in REGRESSION} == pytest.approx(REGRESSION, abs=2e-3)


def test_a_batch_gives_what_each_stream_gives_alone() -> None:
    net = Silero()
    dice = np.random.default_rng(3)
    streams = [voice(), np.roll(voice(), 2_000), (dice.standard_normal(len(voice())) * 800).astype(np.int16)]
    alone = np.stack([probabilities(net, pcm) for pcm in streams])
    state, together = net.start(3), []
    for chunk in np.stack([chunks(pcm) for pcm in streams], axis=1):
        probability, state = net(chunk, state)
        together.append(probability)
    assert np.abs(np.stack(together, axis=1) - alone).max() < 1e-5


def test_the_state_given_is_left_alone() -> None:
    net = Silero()
    state = net.start(1)
    net(np.ones((1, 288), np.float32), state)
    assert not state.any()
