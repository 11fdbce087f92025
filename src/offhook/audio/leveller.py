"""Brings a voice to the level of the telephone: -24 dBov of active speech, by a gain that changes slowly, and nothing
clipped.

-24 dBov is what ITU-T P.56 measurements of telephone speech centre on (G.711 speech at -26 to -20 dBov; RFC 7874,
section 4, asks for -19 dBm0, which is -25.2 dBov in mu-law). A voice speaks at much the same level every time, so an
utterance begins with the gain that the ones before it needed, which gives way to what it shows itself in its first
half second of speech. A voice that nobody has heard yet is judged as it goes. The gain falls at once and rises gently.

The gain of a block of 5 ms depends on the sound up to its end and on nothing else, so the result is the same however
the sound is cut, and no sample waits longer than its block.
"""

import numpy as np
from numpy.typing import NDArray

from offhook.audio.level import FLOOR, active_speech

TARGET = -24.0
"""dBov of active speech."""
_MOST = 20.0
"""dB that are added or taken away at most: more would be noise, or a fault of the voice."""
_RIGHT = 1.0
"""dB by which a voice may be off and is still left alone, bit for bit."""
_FALL = 0.4
"""dB by which what is judged by its beginning is made louder: people let their voices fall towards a sentence's end."""
_RISE = 80.0
"""dB per second by which the gain may grow while somebody speaks."""
_BLOCK = 40
_ENVELOPE = 4
"""Blocks, 20 ms together, over which power is averaged: longer than a period of the lowest voice."""
_MARGINS = (25.0, 15.9)
"""dB: sound counts as speech down to the first below the loudest, and of that what lies down to the second below its
mean (ITU-T P.56, 5.1). The loudest 20 ms of speech lie some 9 dB above its mean."""
_CLASSES = np.arange(-60.0, 3.0, 1.5)
"""dBov. What lies below all of them is silence."""
_SECOND = 8_000 // _BLOCK
_ENOUGH = _SECOND // 10
"""Blocks of speech that an unknown voice has to be heard for before it is made louder."""
_RAMP = np.arange(1, _BLOCK + 1) / _BLOCK
_SHOWN = _SECOND // 2
"""Blocks of speech after which an utterance is judged by itself alone."""
_DOUBT = 20.0
"""dB per second of silence after which what is softer than the voice used to be is speech after all."""
_LEARN = 0.5
"""How much of what is new about a voice's level is believed, where a second of it was heard."""
_KNEE = 0.7
"""The share of full scale from which peaks are bent instead of cut."""


class Leveller:
    """What is known of one voice's level. Serves all calls at once."""

    def __init__(self) -> None:
        self.level: float | None = None
        """dBov of active speech as the voice gives it; None while nothing is known."""

    def utterance(self) -> "Utterance":
        """Begin one utterance of the voice."""
        return Utterance(self)

    def whole(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        """A whole utterance, brought to the target by one gain of its own."""
        level = active_speech(pcm)
        if level < _CLASSES[0]:
            return pcm
        self.learn(level, len(pcm) // _BLOCK)
        return amplified(pcm, _gain(level))

    def learn(self, level: float, blocks: float) -> None:
        """So many blocks of speech were at this level before any gain."""
        if self.level is None:
            self.level = level
        else:
            self.level += (level - self.level) * _LEARN * min(1.0, blocks / _SECOND)


class Utterance:
    """One utterance on its way to the telephone, piece by piece: 16-bit samples at 8 kHz."""

    def __init__(self, leveller: Leveller) -> None:
        self._leveller = leveller
        self._known = leveller.level
        self._held = np.zeros(0, np.int16)
        self._powers = np.zeros(_ENVELOPE - 1)
        """Of the last blocks."""
        self._loudest = FLOOR
        self._expected = FLOOR if self._known is None else self._known + _MARGINS[0] - _MARGINS[1]
        self._classes = np.zeros((2, len(_CLASSES)))
        """The sum of the powers, and the count, of the blocks of each class of power."""
        self._own = FLOOR, 0.0
        """Its level so far, and by how many blocks of speech."""
        self._decibels = self._lowest = 0.0 if self._known is None else float(_gain(self._known))
        """The gain at the end of the last block, and the lowest that was wanted, less what it may have risen by."""
        self._count = 0

    def feed(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        """What is certain of the same samples at the right level: less than a block is held back."""
        pcm = np.concatenate((self._held, pcm))
        whole = len(pcm) // _BLOCK * _BLOCK
        self._held = pcm[whole:]
        return self._levelled(pcm[:whole]) if whole else pcm[:0]

    def finish(self) -> NDArray[np.int16]:
        """The utterance is over: its last samples. The next one knows more."""
        level, blocks = self._own
        if blocks:
            self._leveller.learn(level, blocks)
        return amplified(self._held, np.array(self._decibels))

    def _levelled(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        before = self._decibels
        after = self._follow(self._envelope(pcm))
        if not before and not after.any():
            return pcm
        starts = np.concatenate(([before], after[:-1]))
        return amplified(pcm, (starts[:, None] + (after - starts)[:, None] * _RAMP).ravel())

    def _envelope(self, pcm: NDArray[np.int16]) -> NDArray[np.float64]:
        """The power at the end of each block, averaged over the 20 ms before."""
        wide = pcm.astype(np.float64).reshape(-1, _BLOCK)
        powers = np.concatenate((self._powers, (wide * wide).mean(axis=1)))
        self._powers = powers[-_ENVELOPE + 1 :]
        total = np.zeros(len(wide))
        for at in range(_ENVELOPE):
            total += powers[at : at + len(wide)]
        return total / _ENVELOPE

    def _follow(self, power: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gain at the end of each block, in dB, by all that is known of the voice by then."""
        own, blocks = self._speech(power)
        if self._known is None:
            wanted = np.minimum(_gain(own - _FALL), np.where(blocks < _ENOUGH, 0.0, _MOST))
        else:
            wanted = _gain(own - _FALL + (self._known - own + _FALL) * np.maximum(0.0, 1 - blocks / _SHOWN))
        risen = (self._count + np.arange(1, len(power) + 1)) * (_RISE / _SECOND)
        lowest = np.minimum(np.minimum.accumulate(wanted - risen), self._lowest)
        gain: NDArray[np.float64] = lowest + risen
        self._own = float(own[-1]), float(blocks[-1])
        self._count += len(power)
        self._lowest, self._decibels = float(lowest[-1]), float(gain[-1])
        return gain

    def _speech(self, power: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """At the end of each block: the level of all blocks until then that are speech, in dBov, and how many."""
        level = _dbov(power)
        at = self._count + np.arange(1, len(power) + 1)
        own = np.maximum(np.maximum.accumulate(level), self._loudest)
        loudest = np.maximum(own, self._expected - at * (_DOUBT / _SECOND))
        member = np.searchsorted(_CLASSES, level, "right")[:, None] == np.arange(1, len(_CLASSES) + 1)
        sums = np.cumsum(np.vstack((self._classes[0], member * power[:, None])), axis=0)[1:]
        counts = np.cumsum(np.vstack((self._classes[1], member)), axis=0)[1:]
        self._loudest, self._classes = float(own[-1]), np.stack((sums[-1], counts[-1]))
        least = loudest - _MARGINS[0]
        for _ in range(2):
            speech = least[:, None] <= _CLASSES
            blocks = (counts * speech).sum(axis=1)
            mean = _dbov((sums * speech).sum(axis=1) / np.maximum(blocks, 1))
            least = np.maximum(least, mean - _MARGINS[1])
        return mean, blocks


def amplified(pcm: NDArray[np.int16], decibels: NDArray[np.float64]) -> NDArray[np.int16]:
    """Samples made louder by `decibels`, one for each sample or one for all. By none: the very same samples."""
    if not decibels.any():
        return pcm
    louder = bent(pcm.astype(np.float32) * (10 ** (decibels / 20) / 32_768).astype(np.float32))
    return np.where(decibels == 0, pcm, louder)


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


def _gain(level: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """dB that bring a level in dBov to the target."""
    needed = np.clip(TARGET - np.asarray(level, np.float64), -_MOST, _MOST)
    gain: NDArray[np.float64] = np.where(np.abs(needed) <= _RIGHT, 0.0, needed)
    return gain


def _dbov(power: float | NDArray[np.float64]) -> NDArray[np.float64]:
    level: NDArray[np.float64] = np.maximum(FLOOR, 10 * np.log10(np.maximum(power, 1e-9) / 32_768.0**2))
    return level
