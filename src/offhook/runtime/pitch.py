"""How high a voice is: the fundamental frequency of sound that is periodic."""

import numpy as np
from numpy.typing import NDArray

from offhook.timebase import RATE

LOWEST, HIGHEST = 60, 400
_LONGEST_LAG, _SHORTEST_LAG = RATE // LOWEST, RATE // HIGHEST
_VOICED = 0.6
"""Correlation from which a chunk counts as periodic: noise of 256 samples stays below 0.5."""
_NEARLY = 0.85
"""A peak of so much of the best one's height at a shorter lag is the period; the best may be a multiple of it."""


def fundamentals(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Fundamental in Hz [n] of chunks [n, 256], 0 where there is none: the normalised cross-correlation of RAPT
    (Talkin 1995), at whole lags."""
    size, first, last = sound.shape[1], _SHORTEST_LAG - 1, _LONGEST_LAG + 1
    sound = sound - sound.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(sound, 2 * size, axis=1)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, axis=1)[:, first : last + 1]
    energy = np.cumsum(sound * sound, axis=1)
    head, tail = energy[:, size - 1 - last : size - first][:, ::-1], energy[:, -1:] - energy[:, first - 1 : last]
    alike = products / np.sqrt(head * tail + 1e-6)
    inner = alike[:, 1:-1]
    peaks = (inner > alike[:, :-2]) & (inner >= alike[:, 2:])
    best = np.where(peaks, inner, 0).max(axis=1)
    nearest = np.argmax(peaks & (inner >= _NEARLY * best[:, None]), axis=1)
    return np.where(best >= _VOICED, np.round(RATE / (nearest + _SHORTEST_LAG), 1), 0)
