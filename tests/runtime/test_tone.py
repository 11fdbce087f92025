"""Pure tones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from offhook.audio import mulaw, tones
from offhook.runtime.tone import pure

CHUNK = 256


def chunks(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """What comes over the line, in chunks."""
    heard = mulaw.decode(mulaw.encode(pcm[: len(pcm) // CHUNK * CHUNK]))
    return (heard / 32_768).astype(np.float32).reshape(-1, CHUNK)


def sines(*hertz: float, amplitude: float = 4_000) -> NDArray[np.int16]:
    at = np.arange(8 * CHUNK) / 8_000
    return np.rint(sum(amplitude * np.sin(2 * np.pi * each * at) for each in hertz)).astype(np.int16)


@pytest.mark.parametrize(
    "hertz", [(440, 480), (480, 620), (350, 440), (400, 450), (425,), (1_100,), (2_100,), (941, 1_336)]
)
def test_what_exchanges_send_is_a_tone_that_keeps_its_frequency(hertz: tuple[float, ...]) -> None:
    found = pure(chunks(sines(*hertz)))
    assert (found > 0).all()
    if len(hertz) == 1:
        assert found == pytest.approx(np.full(8, hertz[0]), rel=0.001)


def test_keys_are_tones() -> None:
    found = pure(chunks(mulaw.decode(tones.keys("5"))))
    assert (found[:3] > 0).all()


def test_noise_and_a_voice_that_glides_are_none() -> None:
    dice = np.random.default_rng(3)
    assert not pure(chunks((dice.standard_normal(8 * CHUNK) * 2_000).astype(np.int16))).any()
    at = np.arange(16 * CHUNK) / 8_000
    glide = 2 * np.pi * (150 * at + 40 * at**2)
    voice = 4_000 * np.sum([np.sin(k * glide) / k for k in range(1, 12)], axis=0)
    found = pure(chunks(voice.astype(np.int16)))
    still = np.abs(np.diff(found)) <= 0.003 * found[1:]
    assert not (still & (found[1:] > 0)).any()


def test_rumble_below_a_voice_is_counted_once() -> None:
    assert not pure(chunks(sines(35, amplitude=3_000) + sines(700, 1_500, amplitude=2_000))).any()


@given(st.binary(min_size=CHUNK, max_size=CHUNK))
@settings(deadline=None, max_examples=50)
def test_a_frequency_is_one_that_a_telephone_carries(data: bytes) -> None:
    (found,) = pure(chunks(mulaw.decode(data)))
    assert 0 <= found <= 4_000
