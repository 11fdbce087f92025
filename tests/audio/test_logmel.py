"""Log-mel features: as many as there are, in their place, and as Whisper has them."""

import importlib.metadata
import importlib.util

import numpy as np
import pytest

from offhook.audio.logmel import RATE, logmel

REFERENCE = "pipecat/audio/turn/smart_turn/_whisper_features.py"


def tone(hertz: float, seconds: float = 1.0, level: float = 0.1) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)


def test_a_column_for_each_ten_milliseconds() -> None:
    assert logmel(tone(440, 8)).shape == (80, 800)
    assert logmel(tone(440, 8)).dtype == np.float32


@pytest.mark.parametrize(("hertz", "band"), [(250, 6), (1_000, 26), (4_000, 62)])
def test_a_tone_lies_in_its_band(hertz: float, band: int) -> None:
    """Slaney's scale has 45.2 mels up to 8 kHz, and band n is centred on (n + 1) / 81 of them."""
    found = logmel(tone(hertz)).mean(axis=1)
    assert abs(int(found.argmax()) - band) <= 1


def test_the_level_does_not_count_and_silence_is_nothing() -> None:
    sound = np.concatenate([np.zeros(RATE), tone(440)])
    np.testing.assert_allclose(logmel(sound), logmel(sound / 10), atol=1e-3)
    found = logmel(sound)
    assert found[:, :90].max() == found.min() == pytest.approx(found.max() - 2), "eight powers of ten, by four"


def test_as_whisper_has_them() -> None:
    try:
        path = importlib.metadata.distribution("pipecat-ai").locate_file(REFERENCE)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("no reference: pip install --no-deps pipecat-ai")
    spec = importlib.util.spec_from_file_location("whisper_features", str(path))
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    noise = np.random.default_rng(1).normal(0, 0.1, 8 * RATE)
    noise[: 3 * RATE] = 0
    theirs = reference.compute_whisper_log_mel_features(noise.astype(np.float32))
    np.testing.assert_allclose(logmel(noise), theirs, atol=1e-5)
