"""How loud sound is, and how to soften an edge."""

import math

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw

FLOOR = -96.0
"""dBov of silence: below the smallest step of 16 bits."""
_MARGIN = 15.9
"""dB below the mean up to which sound counts as speech (ITU-T P.56, 5.1)."""
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
    return _decibels(float(wide @ wide) / len(wide))


def active_speech(pcm: NDArray[np.int16]) -> float:
    """dBov of the frames of 20 ms that hold speech: pauses do not count. In the manner of ITU-T P.56, with frames for
    its envelope."""
    whole = pcm[: len(pcm) // _FRAME * _FRAME].astype(np.float64).reshape(-1, _FRAME)
    power = (whole**2).mean(axis=1)
    active = power[power > 0]
    while len(active):
        kept = active[active >= active.mean() * 10 ** (-_MARGIN / 10)]
        if len(kept) == len(active):
            return _decibels(float(active.mean()))
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


def _decibels(power: float) -> float:
    return max(FLOOR, 10 * math.log10(power / 2**30)) if power else FLOOR
