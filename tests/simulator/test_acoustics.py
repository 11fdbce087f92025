"""What a caller's sound picks up: levels, and the echo of exactly what was played."""

import numpy as np
import pytest
from numpy.typing import NDArray

from offhook.audio import level, mulaw
from offhook.simulator.acoustics import SPEECH_LEVEL, Echo, Microphone, Noise
from offhook.simulator.ledger import Ledger

SILENT = mulaw.SILENCE * 160


def listen(microphone: Microphone, frames: int, said: bytes = SILENT) -> NDArray[np.int16]:
    return np.concatenate([mulaw.decode(microphone.hear(160 * index, said)) for index in range(frames)])


def test_a_clean_line_hands_on_the_very_bytes() -> None:
    said = bytes(range(160))
    assert Microphone(0, None, None, 0, Ledger()).hear(0, said) is said


def test_gain_is_in_decibels() -> None:
    said = mulaw.encode(np.full(160, 10_000, np.int16))
    assert mulaw.decode(Microphone(-6.0206, None, None, 0, Ledger()).hear(0, said)) == pytest.approx(5_000, rel=0.04)


@pytest.mark.parametrize("colour", ["white", "pink"])
@pytest.mark.parametrize("snr", [5.0, 15.0])
def test_noise_has_its_level_and_a_seed(colour: str, snr: float) -> None:
    heard = listen(Microphone(0, Noise(snr, colour), None, 1, Ledger()), 500)
    assert level.dbov(heard) == pytest.approx(SPEECH_LEVEL - snr, abs=0.2)
    assert (listen(Microphone(0, Noise(snr, colour), None, 1, Ledger()), 5) == heard[:800]).all()
    assert (listen(Microphone(0, Noise(snr, colour), None, 2, Ledger()), 5) != heard[:800]).any()


def test_a_recording_of_noise_is_repeated() -> None:
    recording = np.sin(np.arange(1_000) * 2 * np.pi / 40).astype(np.float32)
    heard = listen(Microphone(0, Noise(10, recording=recording), None, 0, Ledger()), 25)
    assert level.dbov(heard) == pytest.approx(SPEECH_LEVEL - 10, abs=0.3)
    assert (heard[1_000:2_000] == heard[:1_000]).all()


@pytest.mark.parametrize("delay_ms", [0, 5, 80, 400])
def test_echo_is_what_was_played_filtered_and_delayed(delay_ms: int) -> None:
    random = np.random.default_rng(5)
    played = np.rint(random.standard_normal(2_000) * 6_000).astype(np.int16)
    agent = Ledger()
    agent.append(333, mulaw.encode(played))
    impulse = np.zeros(700, np.float32)
    impulse[[0, 100, 699]] = 0.8, -0.5, 0.3
    echo = Echo(gain_db=-12, delay_ms=delay_ms, impulse=impulse)
    heard = listen(Microphone(0, None, echo, 0, agent), 50)

    expected = np.zeros(8_000)
    clean = np.convolve(mulaw.decode(agent.between(333, 2_333)), echo.taps())
    expected[333 + 8 * delay_ms :][: len(clean)] = clean
    assert np.abs(heard - expected).max() <= 1 + np.abs(expected).max() / 30
    assert np.sum(echo.taps() ** 2) == pytest.approx(10**-1.2, rel=1e-3)


def test_what_was_cleared_does_not_come_back() -> None:
    agent = Ledger()
    agent.append(0, bytes(1_600))
    agent.cut(160)
    heard = listen(Microphone(0, None, Echo(gain_db=0, delay_ms=0), 0, agent), 10)
    assert heard[:160].any()
    assert not heard[160:].any()
