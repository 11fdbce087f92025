"""How loud our own voice may come back: learned from levels alone, while we speak.

An echo path has a loss, and whatever the path, what is heard is at least as loud as the echo. So where the line is
quiet while we speak, the loss must be great. Levels are averaged over a quarter of a second; the delay is not known, so
what was played is the least of all averages that could be coming back just now. The ratio of the two never lies below
the path's gain, and at its smallest comes close to it; a caller who speaks over us only makes it larger. The smallest
of each second of our speech is found, and the largest of the last three of these is taken: a path colours what passes,
and where it swallows one sound it may let the next one through.

What may come back is that gain times the loudest of what was played: no chunk need be compared with any other, and
nothing depends on how codecs bend a waveform.
"""

from collections import deque

from offhook.audio.level import FLOOR, decibels, power

REACH = 14
"""Chunks: an echo comes back within 448 ms, a transatlantic round trip with the buffers on its way."""
_AVERAGE = 8
"""Chunks over which levels are averaged, 256 ms: a syllable."""
_WORST = power(-17)
"""The gain while nothing is known. Of the paths measured (14 rooms and loudspeakers, 20 to 45 dB of loss) the loudest
come back some 3 dB above their mean."""
_SPOKEN = power(-40)
"""Below this what we play is a pause, which says nothing about the path."""
_SECOND, _SECONDS = 31, 3
_BELOW_NOISE = 0.25
"""An echo that cannot be told from the line's noise lies 6 dB below it, or further."""


class EchoPath:
    """The path of one call. Feed it every chunk, in order."""

    def __init__(self) -> None:
        self._heard: deque[float] = deque([0.0] * _AVERAGE, _AVERAGE)
        self._played: deque[float] = deque([0.0] * _AVERAGE, _AVERAGE)
        self._loudest: deque[float] = deque([0.0] * (REACH + 1), REACH + 1)
        self._averages: deque[float] = deque([0.0] * (REACH + 1), REACH + 1)
        self._silent = REACH + _AVERAGE + 1
        """How many chunks in a row we played nothing."""
        self._least = _WORST
        self._counted = 0
        self._seconds: deque[float] = deque(maxlen=_SECONDS)
        self.gain = _WORST
        """Of the path, in power: at most this, as far as is known."""

    @property
    def known(self) -> bool:
        """We have been heard for a second."""
        return bool(self._seconds)

    def hear(self, heard: float, played: float, noise: float) -> float:
        """The level in dBov up to which our own voice may be in a chunk of the power `heard`; `FLOOR` where it is not.
        `played` is the level of what was played in its time, and the line's `noise` is a power."""
        self._heard.append(heard)
        self._silent = self._silent + 1 if played <= FLOOR else 0
        if self._silent > REACH + _AVERAGE:
            return FLOOR
        now = power(played) if played > FLOOR else 0.0
        self._played.append(now)
        self._loudest.append(now)
        self._averages.append(sum(self._played) / _AVERAGE)
        least = min(self._averages)
        if least > _SPOKEN:
            self._learn(max(sum(self._heard) / _AVERAGE - noise, _BELOW_NOISE * noise) / least)
        return decibels(self.gain * max(self._loudest))

    def _learn(self, ratio: float) -> None:
        self._least = min(self._least, ratio)
        self._counted += 1
        if self._counted == _SECOND:
            self._seconds.append(self._least)
            self._least, self._counted = _WORST, 0
            self.gain = max(self._seconds)
        elif not self._seconds:
            self.gain = self._least
