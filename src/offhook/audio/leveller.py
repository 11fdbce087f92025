"""Brings a voice to the level of the telephone: -24 dBov of active speech, by one gentle gain per utterance, and
nothing clipped.

-24 dBov is what ITU-T P.56 measurements of telephone speech centre on (G.711 speech at -26 to -20 dBov; RFC 7874,
section 4, asks for -19 dBm0, which is -25.2 dBov in mu-law). A voice speaks at much the same level every time, so the
gain of an utterance is what the ones before it needed: it does not change while somebody speaks, and costs no delay.
"""

import numpy as np
from numpy.typing import NDArray

from offhook.audio.level import FLOOR, active_speech

TARGET = -24.0
"""dBov of active speech."""
_MOST = 15.0
"""dB that are added or taken away at most: more would be noise, or a fault of the voice."""
_LEARN = 0.3
"""How much of what is new about a voice's level is believed."""
_KNEE = 0.7
"""The share of full scale from which peaks are bent instead of cut."""
_LONGEST = 8_000 * 4
"""Samples of an utterance that its level is judged by."""


class Leveller:
    """What is known of one voice's level. Serves all calls at once."""

    def __init__(self) -> None:
        self.level: float | None = None
        """dBov of active speech as the voice gives it; None while nothing is known."""

    def utterance(self) -> "Utterance":
        """Begin one utterance of the voice."""
        return Utterance(self)

    @property
    def gain(self) -> float:
        """The factor that brings the voice to the target."""
        if self.level is None:
            return 1.0
        return float(10 ** (max(-_MOST, min(_MOST, TARGET - self.level)) / 20))

    def learn(self, pcm: NDArray[np.int16]) -> None:
        """An utterance has been heard to its end, before any gain."""
        level = active_speech(pcm)
        if level <= FLOOR:
            return
        self.level = level if self.level is None else self.level + _LEARN * (level - self.level)


class Utterance:
    """One utterance on its way to the telephone, piece by piece."""

    def __init__(self, leveller: Leveller) -> None:
        self._leveller = leveller
        self._gain = leveller.gain
        self._heard: list[NDArray[np.int16]] = []
        self._length = 0

    def feed(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        """The same samples at the right level: as many as came in."""
        if self._length < _LONGEST:
            self._heard.append(pcm)
            self._length += len(pcm)
        if self._gain == 1.0:
            return pcm
        return bent(pcm * np.float32(self._gain / 32_768))

    def finish(self) -> None:
        """The utterance is complete: the next one knows more."""
        if self._heard:
            self._leveller.learn(np.concatenate(self._heard))


def bent(share: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples as shares of full scale to 16 bits; what lies beyond the knee approaches full scale without reaching
    it.
    """
    size = np.abs(share)
    over = size > _KNEE
    if over.any():
        room = np.float32(1 - _KNEE)
        size = np.where(over, _KNEE + room * np.tanh((size - _KNEE) / room), size)
    samples: NDArray[np.int16] = np.rint(np.copysign(size, share) * 32_767).astype(np.int16)
    return samples
