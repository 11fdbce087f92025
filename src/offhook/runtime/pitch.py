"""How high a voice is: the fundamental frequency of sound that is periodic."""

import numpy as np
from numpy.typing import NDArray

from offhook.audio.events import CHUNK
from offhook.runtime.spectrum import Spectrum
from offhook.timebase import RATE

LOWEST, HIGHEST = 60, 400
_LONGEST_LAG, _SHORTEST_LAG = RATE // LOWEST, RATE // HIGHEST
_FIRST, _LAST = _SHORTEST_LAG - 1, _LONGEST_LAG + 1
"""A peak has a lag on either side."""
_VOICED = 0.6
"""Correlation from which a chunk counts as periodic: noise of 256 samples stays below 0.5."""
_NEARLY = 0.85
"""A peak of so much of the best one's height at a shorter lag is the period; the best may be a multiple of it."""

_PERIOD = 400
"""Samples, with the zeros behind a chunk: room for the longest lag."""
_spectrum = Spectrum(np.ones(CHUNK), _PERIOD)


def _back() -> NDArray[np.float32]:
    """[201, lags]: what makes a power spectrum the products of a sound with itself."""
    at = np.arange(_PERIOD // 2 + 1)
    weights = np.where(at % (_PERIOD // 2), 2, 1)[:, None] / _PERIOD
    waves: NDArray[np.float64] = np.cos(2 * np.pi / _PERIOD * np.outer(at, np.arange(_FIRST, _LAST + 1)))
    return (weights * waves).astype(np.float32)


_BACK = _back()


def fundamentals(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Fundamental in Hz [n] of chunks [n, 256] whose mean is 0; 0 where there is none: the normalised cross-correlation
    of RAPT (Talkin 1995), at whole lags."""
    products = _spectrum(sound) @ _BACK
    energy = np.cumsum(sound * sound, axis=1)
    head = energy[:, CHUNK - 1 - _LAST : CHUNK - _FIRST][:, ::-1]
    tail = energy[:, -1:] - energy[:, _FIRST - 1 : _LAST]
    alike = products / np.sqrt(head * tail + 1e-6)
    inner = alike[:, 1:-1]
    peaks = inner * ((inner > alike[:, :-2]) & (inner >= alike[:, 2:]))
    best = peaks.max(axis=1)
    nearest = (peaks >= _NEARLY * best[:, None]).argmax(axis=1)
    return np.where(best >= _VOICED, RATE / (nearest + _SHORTEST_LAG), 0)
