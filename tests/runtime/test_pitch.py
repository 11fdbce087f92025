"""How high a voice is."""

import numpy as np
import pytest
from numpy.typing import NDArray

from offhook.runtime.pitch import fundamentals

AT = np.arange(256) / 8_000


def voice(hertz: float) -> NDArray[np.float32]:
    """Eight harmonics, without their mean."""
    order = np.arange(1, 9)[:, None]
    sound = np.sum(0.1 / order * np.sin(2 * np.pi * hertz * order * AT + order), axis=0, dtype=np.float32)
    return np.asarray(sound - np.mean(sound), np.float32)


def test_the_period_is_found_from_60_to_400_hz() -> None:
    hertz = np.geomspace(62, 395, 40)
    found = fundamentals(np.stack([voice(each) for each in hertz]))
    assert found == pytest.approx(hertz, rel=0.06)


def test_noise_and_silence_have_none() -> None:
    noise = np.random.default_rng(2).standard_normal((200, 256)).astype(np.float32) * 0.1
    noise -= noise.mean(axis=1, keepdims=True)
    assert not fundamentals(noise).any()
    assert not fundamentals(np.zeros((1, 256), np.float32)).any()
