"""Whether a voice has come to rest: it sinks where a turn ends, and stays up where more follows.

The last syllables of a turn are lower and softer than what was said before them; before a pause inside of a turn they
are less so (Gravano and Hirschberg 2011, "Turn-taking cues in task-oriented dialogue", Computer Speech and Language
25). How far they have sunk, decibels and semitones added up, tells ends from pauses with an area under the curve of
0.70 (0.76 where the words could be a whole sentence), over 25 recordings. So it moves a wait, and never decides one.
Final lengthening, the slopes of level and pitch, and how long somebody has spoken were tried too, and told no more.
"""

import math
from collections import Counter, deque

from offhook.audio.events import CHUNK, Evidence
from offhook.audio.speech import Hysteresis

_SPEECH, _SOUND = 0.5, 0.35
"""Probabilities from which a chunk says how the caller speaks, and how the last sounds were."""
_ECHO = Hysteresis().echo
_LOUD, _LOW = 13, 16
"""Chunks, 400 to 500 ms: the last stressed syllable lies in them."""
_PITCHES = 5
_KEPT = 24
"""Chunks: these, and what it takes to notice that speech is over."""
_CHUNKS, _VOICED = 16, 4
"""Fewer, and it is not known how the caller speaks. One word, half a second, has nothing to sink below."""
_FORGET = 2_048
"""Chunks of speech, about a minute, after which what was heard counts half."""
_RANGE = (1.0, 5.0)
"""Decibels and semitones, added up: half of the pauses inside of turns lie below 2, half of the ends above 4."""
UNKNOWN = 0.5


class Prosody:
    """Follows one voice. Feed every chunk, in order."""

    def __init__(self) -> None:
        self._heard = 0
        """How many chunks of speech the counts are made of, about."""
        self._levels = Counter[int]()
        """How many chunks of speech had this level, in dB."""
        self._pitches = Counter[int]()
        """The same of pitch, in tenths of a semitone above 1 Hz."""
        self._last: deque[Evidence] = deque(maxlen=_KEPT)

    def handle(self, evidence: Evidence) -> None:
        """Take the next chunk."""
        self._last.append(evidence)
        if evidence.speech < _SPEECH or evidence.echo >= _ECHO:
            return
        self._heard += 1
        self._levels[round(evidence.level)] += 1
        if evidence.pitch > 0:
            self._pitches[round(10 * _semitones(evidence.pitch))] += 1
        if self._heard >= _FORGET:
            self._heard //= 2
            self._levels, self._pitches = _halved(self._levels), _halved(self._pitches)

    def rest(self, end: int) -> float:
        """How much a voice that stopped at sample `end` had come to rest: 0, more follows, to 1, that was all."""
        if self._heard < _CHUNKS or self._pitches.total() < _VOICED:
            return UNKNOWN
        last = [it for it in self._last if it.position + CHUNK <= end]
        loudest = max((it.level for it in last[-_LOUD:] if it.speech >= _SOUND), default=None)
        pitches = sorted([it.pitch for it in last[-_LOW:] if it.pitch > 0 and it.speech >= _SOUND][-_PITCHES:])
        if loudest is None:
            return UNKNOWN
        sunk = _within(_quantile(self._levels, 0.9) - loudest, -2, 8)
        if pitches:
            usual = _quantile(self._pitches, 0.5) / 10
            sunk += _within(usual - _semitones(pitches[len(pitches) // 2]), -6, 6)
        low, high = _RANGE
        return _within((sunk - low) / (high - low), 0, 1)


def _semitones(pitch: float) -> float:
    return 12 * math.log2(pitch)


def _within(value: float, low: float, high: float) -> float:
    return min(high, max(low, value))


def _quantile(counts: Counter[int], part: float) -> int:
    """The value that this part of those counted does not exceed."""
    left = part * counts.total()
    for value, count in sorted(counts.items()):
        left -= count
        if left <= 0:
            return value
    raise AssertionError("something has been counted")


def _halved(counts: Counter[int]) -> Counter[int]:
    return Counter({value: count // 2 for value, count in counts.items() if count > 1})
