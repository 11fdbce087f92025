"""Power spectra of many short sounds at once, by two matrix products.

The even and the odd half of a sound about its middle, [n, size / 2] each, have the real and the imaginary parts of its
spectrum, and where phases count from does not matter to power. For 13 chunks that is half the work of as many FFTs,
which NumPy computes one after the other.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Spectrum:
    """At the multiples of 1 / `period`, in cycles per sample, up to one half. `window` is symmetrical and as long as
    the sounds."""

    def __init__(self, window: NDArray[np.float64], period: int) -> None:
        self._half = len(window) // 2
        phases = 2 * np.pi / period * np.outer(np.arange(self._half) + 0.5, np.arange(period // 2 + 1))
        weights = window[self._half :, None]
        self._even = (weights * np.cos(phases)).astype(np.float32)
        self._odd = (weights * np.sin(phases)).astype(np.float32)

    def __call__(self, sound: Floats) -> Floats:
        """Power [n, period / 2 + 1] of sounds [n, size]."""
        after, before = sound[:, self._half :], sound[:, self._half - 1 :: -1]
        power: Floats = np.matmul(after + before, self._even)
        imaginary = np.matmul(after - before, self._odd)
        power *= power
        power += np.square(imaginary, out=imaginary)
        return power
