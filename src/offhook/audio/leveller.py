"""Brings a voice to the level of the telephone: -24 dBov of active speech, by a gain that changes slowly, and nothing
clipped.

-24 dBov is what ITU-T P.56 measurements of telephone speech centre on (G.711 speech at -26 to -20 dBov; RFC 7874,
section 4, asks for -19 dBm0, which is -25.2 dBov in mu-law). A voice speaks at much the same level every time, so an
utterance begins with the gain that the ones before it needed, which gives way to what it shows itself in its first
half second of speech. A voice that nobody has heard yet is judged as it goes. The gain falls at once and rises gently.

The gain of a block of 5 ms depends on the sound up to its end and on nothing else, so the result is the same however
the sound is cut, and no sample waits longer than its block.
"""

import math

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
_BLOCK = 40
_SECOND = 8_000 // _BLOCK
_RISE = 80.0 / _SECOND
"""dB by which the gain may grow with each block: 80 a second."""
_ENVELOPE = 4
"""Blocks, 20 ms together, over which power is averaged: longer than a period of the lowest voice."""
_SPAN = _BLOCK * _ENVELOPE
_BELOW_LOUDEST, _BELOW_MEAN = 25.0, 15.9
"""dB: sound counts as speech down to the first below the loudest, and of that what lies down to the second below its
mean (ITU-T P.56, 5.1). The loudest 20 ms of speech lie some 9 dB above its mean."""
SILENCE = -60.0
"""dBov from which sound may be speech."""
_STEP, _CLASSES = 1.5, 41
"""Blocks are classed by their level: dB of a class, and how many reach up to full scale."""
_EDGES = _SPAN * 2**30 * 10 ** ((SILENCE + _STEP * np.arange(_CLASSES)) / 10)
"""The energy of an envelope from which its block belongs to each class."""
_ENOUGH = _SECOND // 10
"""Blocks of speech that an unknown voice has to be heard for before it is made louder."""
_SILENT = 2**30 * 10 ** (FLOOR / 10)
_RAMP = np.arange(1, _BLOCK + 1) / _BLOCK
_SHOWN = _SECOND // 2
"""Blocks of speech after which an utterance is judged by itself alone."""
_DOUBT = 20.0 / _SECOND
"""dB by which the voice is expected to be softer than it used to be, with each block in which it is: 20 a second."""
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
        if level < SILENCE:
            return pcm
        self.learn(level, len(pcm) // _BLOCK)
        return amplified(pcm, np.array(10 ** (_gain(level) / 20)))

    def learn(self, level: float, blocks: float) -> None:
        """Speech was at this level before any gain, in sound of so many blocks: fewer, and less of it is believed."""
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
        self._energies = np.zeros(_ENVELOPE - 1)
        """Of the last blocks: sums of squares, which are whole numbers, so that nothing here rounds."""
        self._heard = _Heard(FLOOR if self._known is None else self._known + _BELOW_LOUDEST - _BELOW_MEAN)
        self._decibels = self._wanted = 0.0 if self._known is None else _gain(self._known)

    def feed(self, pcm: NDArray[np.int16]) -> NDArray[np.int16]:
        """What is certain of the same samples at the right level: less than a block is held back."""
        pcm = np.concatenate((self._held, pcm))
        whole = len(pcm) // _BLOCK * _BLOCK
        self._held, pcm = pcm[whole:], pcm[:whole]
        wide = pcm.reshape(-1, _BLOCK).astype(np.float64)
        energies = np.concatenate((self._energies, np.einsum("ij,ij->i", wide, wide)))
        self._energies = energies[len(wide) :]
        pairs = energies[1:] + energies[:-1]
        gains = self._follow(pairs[2:] + pairs[:-2])
        if not any(gains):
            return pcm
        factors = np.array([10 ** (decibels / 20) for decibels in gains])
        return amplified(pcm, (factors[:-1, None] + (factors[1:] - factors[:-1])[:, None] * _RAMP).ravel())

    def finish(self) -> NDArray[np.int16]:
        """The utterance is over: its last samples. The next one knows more."""
        if self._heard.blocks:
            self._leveller.learn(self._heard.level, self._heard.blocks)
        return amplified(self._held, np.array(10 ** (self._decibels / 20)))

    def _follow(self, envelopes: NDArray[np.float64]) -> list[float]:
        """The gain in dB before the next blocks and behind each, from the energies of their envelopes."""
        classes = _EDGES.searchsorted(envelopes, "right") - 1
        gain = self._decibels
        gains = [gain]
        for energy, at in zip(envelopes.tolist(), classes.tolist(), strict=True):
            if self._heard.add(energy, at):
                self._wanted = self._judge()
            gain += _RISE
            if gain > self._wanted:
                gain = self._wanted
            gains.append(gain)
        self._decibels = gain
        return gains

    def _judge(self) -> float:
        """The gain in dB by all that is known of the voice by now."""
        own, blocks = self._heard.level - _FALL, self._heard.blocks
        if self._known is not None:
            return _gain(own if blocks >= _SHOWN else own + (self._known - own) * (1 - blocks / _SHOWN))
        return _gain(own) if blocks >= _ENOUGH else min(_gain(own), 0.0)


class _Heard:
    """The blocks of an utterance by their level, and what those that are speech have in common. `expected` is how loud
    in dBov the loudest is likely to become."""

    def __init__(self, expected: float) -> None:
        self.level = FLOOR
        """dBov of the speech so far."""
        self.blocks = 0
        """How many blocks of speech that are."""
        self._energy = 0.0
        self._margin = SILENCE
        """dBov down to which sound counts as speech by its mean."""
        self._expected = expected
        self._loudest, self._peak = FLOOR, 0.0
        """The level of the loudest envelope, and its energy."""
        self._least = 0
        """The class from which blocks are speech."""
        self._energies, self._counts = [0.0] * _CLASSES, [0] * _CLASSES

    def add(self, energy: float, at: int) -> bool:
        """One block more, by its envelope: its energy and its class, -1 for silence. False where the level is known no
        better by that."""
        if at >= 0:
            self._energies[at] += energy
            self._counts[at] += 1
            if energy > self._peak:
                self._peak, self._loudest = energy, _dbov(energy / _SPAN)
        self._expected -= _DOUBT
        least = (self._loudest if self._loudest > self._expected else self._expected) - _BELOW_LOUDEST
        if least < self._margin:
            least = self._margin
        first = int((least - SILENCE) / _STEP)
        if first != self._least:
            self._least = first
            self.blocks, self._energy = sum(self._counts[first:]), sum(self._energies[first:])
        elif at >= first:
            self.blocks += 1
            self._energy += energy
        else:
            return False
        self.level = _dbov(self._energy / self.blocks / _SPAN) if self.blocks else FLOOR
        self._margin = max(self.level - _BELOW_MEAN, SILENCE)
        return True


def amplified(pcm: NDArray[np.int16], factors: NDArray[np.float64]) -> NDArray[np.int16]:
    """Samples times a factor, one for each or one for all. By 1 they stay the very same."""
    changed = factors != 1
    if changed.all():
        return bent(pcm * (factors / 32_768))
    return np.where(changed, bent(pcm * (factors / 32_768)), pcm) if changed.any() else pcm


def bent(share: NDArray[np.float64]) -> NDArray[np.int16]:
    """Samples as shares of full scale to 16 bits; what lies beyond the knee approaches full scale without reaching
    it.
    """
    size = np.abs(share)
    over = np.flatnonzero(size > _KNEE)
    if len(over):
        room = 1 - _KNEE
        share = share.copy()
        share[over] = np.copysign(_KNEE + room * np.tanh((size[over] - _KNEE) / room), share[over])
    samples: NDArray[np.int16] = np.rint(share * 32_767).astype(np.int16)
    return samples


def _gain(level: float) -> float:
    """dB that bring a level in dBov to the target."""
    needed = TARGET - level
    if -_RIGHT <= needed <= _RIGHT:
        return 0.0
    return -_MOST if needed < -_MOST else _MOST if needed > _MOST else needed


def _dbov(power: float) -> float:
    return 10 * math.log10(power / 2**30) if power > _SILENT else FLOOR
