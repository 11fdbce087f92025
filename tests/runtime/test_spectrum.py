"""Power spectra."""

import numpy as np
import pytest

from offhook.runtime.spectrum import Spectrum


@pytest.mark.parametrize(("window", "period"), [(np.hanning(256), 256), (np.ones(256), 400), (np.ones(64), 100)])
@pytest.mark.parametrize("count", [1, 13])
def test_it_is_what_a_fourier_transform_gives(window: np.ndarray, period: int, count: int) -> None:
    sound = np.random.default_rng(1).standard_normal((count, len(window))).astype(np.float32)
    wanted = np.abs(np.fft.rfft(sound * window, period, axis=1)) ** 2
    found = Spectrum(window, period)(sound)
    assert found.shape == (count, period // 2 + 1)
    assert found == pytest.approx(wanted, rel=1e-4, abs=1e-5 * wanted.max())


def test_silence_has_no_power() -> None:
    assert not Spectrum(np.hanning(256), 256)(np.zeros((2, 256), np.float32)).any()
