"""How loud sound is, and how to soften an edge."""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw

FLOOR = -96.0
"""dBov of silence: below the smallest step of 16 bits."""
_MARGIN = 15.9
"""dB below the mean up to which sound counts as speech (ITU-T P.56, 5.1)."""
_FULL = 2.0**30
"""The power of a square wave that just fits."""
_FRAME = 160
_FADE = 80
"""10 ms: short enough not to be heard as a fade, long enough not to click."""


def dbov(pcm: NDArray[np.int16]) -> float:
    """RMS in dB below the full scale of a square wave (ITU-T G.100.1); `FLOOR` for silence or nothing.

    A sine that just fits is at -3.01 dBov, which mu-law calls 3.17 dBm0: dBm0 = dBov + 6.18.
    """
    if not len(pcm):
        return FLOOR
    wide = pcm.astype(np.float64)
    return decibels(float(wide @ wide) / len(wide) / _FULL)


def active_speech(pcm: NDArray[np.int16]) -> float:
    """dBov of the frames of 20 ms that hold speech: pauses do not count. In the manner of ITU-T P.56, with frames for
    its envelope."""
    whole = pcm[: len(pcm) // _FRAME * _FRAME].astype(np.float64).reshape(-1, _FRAME)
    powers = (whole**2).mean(axis=1)
    active = powers[powers > 0]
    while len(active):
        kept = active[active >= active.mean() * 10 ** (-_MARGIN / 10)]
        if len(kept) == len(active):
            return decibels(float(active.mean()) / _FULL)
        active = kept
    return FLOOR


def fade(audio: bytes, head: bool = False, tail: bool = False) -> bytes:
    """Mu-law whose first (`head`) or last (`tail`) 10 ms rise from or fall to silence, for sound that is cut in
    mid-word."""
    pcm = mulaw.decode(audio).astype(np.float64)
    count = min(_FADE, len(pcm))
    ramp = (np.arange(count) + 0.5) / _FADE
    if head:
        pcm[:count] *= ramp
    if tail:
        pcm[len(pcm) - count :] *= ramp[::-1]
    return mulaw.encode(np.rint(pcm).astype(np.int16))


def decibels(power: float) -> float:
    """dBov of a power, 1 being full scale; at least `FLOOR`."""
    return max(FLOOR, 10 * math.log10(power)) if power > 0 else FLOOR


def power(dbov: float) -> float:
    """The power of a level, 1 at full scale."""
    return float(10 ** (dbov / 10))


class Noise:
    """How loud a line is when nobody speaks: the quietest quarter of a second of the last six seconds. Feed it the
    power of every 32 ms."""

    _AVERAGE, _SECOND, _SECONDS = 8, 31, 6

    def __init__(self) -> None:
        self._powers: deque[float] = deque(maxlen=self._AVERAGE)
        self._seconds: deque[float] = deque(maxlen=self._SECONDS)
        self._before = self._least = math.inf
        """The least of the whole seconds, and of the one that lasts."""
        self._counted = 0
        self.power = 0.0
        """0 while it is not known."""

    def hear(self, heard: float) -> None:
        """The power of the next 32 ms, 1 at full scale."""
        self._powers.append(heard)
        if len(self._powers) < self._AVERAGE:
            return
        self._least = min(self._least, sum(self._powers) / self._AVERAGE)
        self._counted += 1
        self.power = min(self._least, self._before)
        if self._counted == self._SECOND:
            self._seconds.append(self._least)
            self._before = min(self._seconds)
            self._least, self._counted = math.inf, 0
