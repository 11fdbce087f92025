"""Log-mel features of 16 kHz speech, as Whisper's feature extractor makes them: what its encoders were trained on."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
_WINDOW, _HOP = 400, 160
"""Samples: 25 ms of sound, every 10 ms."""
_BANDS = 80
_RANGE = 8.0
"""Powers of ten below the loudest, under which there is nothing."""
_AT_ONCE = 16
"""Columns computed at once: OpenBLAS starts threads for products of over 2^18 multiplications, and they burn more time
waiting for each other than all else here takes."""
_BREAK, _BREAK_MEL, _MELS_PER_E = 1_000.0, 15.0, 27 / np.log(6.4)
"""Slaney's scale (1998, "Auditory Toolbox"): 15 mels up to 1 kHz, 27 for each factor of 6.4 above."""


def logmel(wave: NDArray[np.float64]) -> NDArray[np.float32]:
    """A row for each of 80 bands, a column for each 10 ms, about -1 to 1. The whole is first brought to mean 0 and
    variance 1, so that its level does not count."""
    wave = (wave - wave.mean()) / np.sqrt(wave.var() + 1e-7)
    padded = np.pad(wave, _WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[: len(wave) // _HOP * _HOP : _HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW + 1)[:-1])) ** 2
    bands = [_filters() @ power[at : at + _AT_ONCE].T for at in range(0, len(power), _AT_ONCE)]
    found = np.log10(np.maximum(np.concatenate(bands, axis=1), 1e-10))
    scaled: NDArray[np.float64] = (np.maximum(found, found.max() - _RANGE) + 4) / 4
    return scaled.astype(np.float32)


@cache
def _filters() -> NDArray[np.float64]:
    """Triangles of equal area, evenly spaced in mels, over the bins of the spectrum: (80, 201)."""
    edges = _hertz(np.linspace(0, _mels(RATE / 2), _BANDS + 2))
    bins = np.linspace(0, RATE / 2, _WINDOW // 2 + 1)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    up, down = (bins - low) / (middle - low), (high - bins) / (high - middle)
    found: NDArray[np.float64] = np.maximum(0, np.minimum(up, down)) * 2 / (high - low)
    return found


def _mels(hertz: float) -> float:
    """Of a frequency above the break."""
    return float(_BREAK_MEL + np.log(hertz / _BREAK) * _MELS_PER_E)


def _hertz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _BREAK * np.exp((mels - _BREAK_MEL) / _MELS_PER_E)
    return np.where(mels < _BREAK_MEL, mels * _BREAK / _BREAK_MEL, above)
