"""Where the words of a text lie in its speech, for a voice that does not say: by how long words take to say, and by the
pauses that can be heard.

A word ends at a pause, or where its length leads one to expect. Of all ways to lay the words out the one is taken that
is most likely by their lengths, and in which clauses end at pauses.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from offhook.call.inputs import WordSpan

_FRAME = 80
"""Samples, 10 ms, in which sound is looked at. What is counted below without a unit is counted in frames."""
_LOUDNESS = bytes(127 - (code & 127) for code in range(256))
"""How loud a mu-law code is, 0 to 127: 16 more are 6 dB."""
_QUIET = 56
"""Sound that lies 21 dB below the loudest twentieth is a pause,"""
_PAUSE = 8
"""if it lasts for 80 ms: what is shorter is inside a "p" or a "t"."""
_FULL = 12
"""Speech swells and dies away. Where a pause has sound within 4.5 dB of the loudest on both sides, however short it is,
the sound was put together word by word."""
_LONGEST_CUT = 100
"""A word that was put there for itself lasts for a second at most."""
PACE = 0.11
"""Frames for a millisecond of `length`, where a voice has not been heard yet."""
_LONG = 12
"""A longer pause does not tell how fast somebody speaks."""
_TAIL = 4
"""A word ends so long after its last sound: a shorter pause belongs to it."""
_WINDOW = 3.5
"""A word is off its expected length by so many spreads at most."""
_LAYOUTS = 12
"""How many ways to lay out the words so far are followed up."""
_SYMBOLS = frozenset("$€£%&@#+=")
_CLAUSE_END = re.compile(r"[,;:.!?…–—]\W*\Z")
_LETTER = re.compile(r"\W*[B-HJ-Z]\W*\Z")


class _Gap(NamedTuple):
    """Where one word ends and the next begins. `cut`: somebody put it there."""

    start: int
    end: int
    cut: bool = False


class _Layout(NamedTuple):
    """A way to lay out the words so far, the last of which ends at `gap`. The cost is minus the logarithm of how likely
    it is.
    """

    cost: float
    gap: _Gap
    before: "_Layout | None"


def length(word: str) -> int:
    """About how many milliseconds a word takes to say.

    A fit to espeak-ng and to people who read aloud: letters tell more than syllables do. Digits and symbols are words
    of their own, and the end of a clause is drawn out.
    """
    letters = sum(map(str.isalpha, word))
    digits, symbols = sum(map(str.isdigit, word)), sum(map(_SYMBOLS.__contains__, word))
    base = 0 if not letters else 170 if _LETTER.match(word) else 50 if letters <= 3 else 80
    drawn = 130 if _CLAUSE_END.search(word) else 0
    return max(40, base + 40 * letters + 350 * digits + 300 * symbols + drawn)


def pace(text: str, mulaw: bytes) -> float:
    """How fast a voice is that speaks a text so: what `align` wants to know about speech that is not complete."""
    measured = _Sound(mulaw).spoken / max(1, sum(map(length, text.split())))
    return min(max(measured, PACE / 2), PACE * 2)


def align(text: str, mulaw: bytes, *, complete: bool, pace: float = PACE) -> list[WordSpan]:
    """Where each word of a text lies in its speech, in samples at 8 kHz.

    While the speech is not `complete`, `pace` tells where the words that have not come yet are to be expected.
    """
    words, sound = text.split(), _Sound(mulaw)
    if complete:
        pace = sound.spoken / max(1, sum(map(length, words)))
    layout = _best(words, sound, pace, complete)
    spans = []
    while layout.before is not None:
        spans.append((layout.before.gap.end, min(layout.gap.end, layout.gap.start + _TAIL)))
        layout = layout.before
    return [WordSpan(w, a * _FRAME, b * _FRAME) for w, (a, b) in zip(words, reversed(spans), strict=True)]


class _Sound:
    """Where speech begins and ends, and its pauses."""

    def __init__(self, mulaw: bytes) -> None:
        loudness = [_loudness(mulaw[at : at + _FRAME]) for at in range(0, len(mulaw), _FRAME)]
        loud = sorted(loudness)[len(loudness) * 19 // 20] if loudness else 0.0
        frames = [frame for frame, level in enumerate(loudness) if level > loud - _QUIET] or [0]
        self.first, self.last = frames[0], frames[-1] + 1
        self.pauses = list(_pauses(loudness, loud, frames))
        self.wordwise = sum(gap.cut for gap in self.pauses) * 2 > len(self.pauses)
        """It was put together word by word."""

    @property
    def spoken(self) -> int:
        """How long somebody speaks."""
        pauses = (gap.end - gap.start for gap in self.pauses)
        return self.last - self.first - sum(pause for pause in pauses if pause >= _LONG)


def _loudness(mulaw: bytes) -> float:
    return sum(mulaw.translate(_LOUDNESS)) / len(mulaw)


def _pauses(loudness: list[float], loud: float, frames: list[int]) -> Iterator[_Gap]:
    for before, after in pairwise(frames):
        if after == before + 1:
            continue
        start, sides = before + 1, (loudness[max(0, before - 1) : before + 1], loudness[after : after + 2])
        cut = min(map(max, sides)) > loud - _FULL
        if cut or after - start >= _PAUSE:
            yield _Gap(start, after, cut)


def _best(words: list[str], sound: _Sound, pace: float, complete: bool) -> _Layout:
    last = sound.last
    layouts = [_Layout(0, _Gap(sound.first, sound.first), None)]
    for index, word in enumerate(words):
        final = index == len(words) - 1
        expected = length(word) * pace
        spread = 0.15 * expected + 4
        ends_clause = bool(_CLAUSE_END.search(word)) and not final
        found: dict[int, _Layout] = {}
        for before in layouts:
            begin = before.gap.end
            guess = max(begin + 1, round(begin + expected))
            if complete:
                guess = last if final else min(guess, last)
            near = [] if complete and final else _near(sound.pauses, begin, expected, _WINDOW * spread)
            for gap in (*near, _Gap(guess, guess)):
                off = abs(gap.start - begin - expected) / spread
                cost = (
                    before.cost
                    + min(off * off / 2, 2 + off)
                    + _oddity(gap, ends_clause, sound.wordwise and guess < last)
                )
                if gap.start not in found or cost < found[gap.start].cost:
                    found[gap.start] = _Layout(cost, gap, before)
        layouts = sorted(found.values(), key=lambda layout: layout.cost)[:_LAYOUTS]
    return layouts[0]


def _near(pauses: list[_Gap], begin: int, expected: float, off: float) -> Iterator[_Gap]:
    """The pauses at which a word may end that begins at `begin`."""
    end = begin + expected
    for gap in pauses:
        if begin < gap.start and (abs(gap.start - end) <= off or (gap.cut and gap.start < begin + _LONGEST_CUT)):
            yield gap


def _oddity(gap: _Gap, ends_clause: bool, wordwise: bool) -> float:
    """What speaks against a word's ending here, besides its length."""
    if gap.cut:
        return -10
    unheard = 3 - min(gap.end - gap.start, 15) / 5 if ends_clause else 0
    return unheard + (10 if wordwise else 0) - (0.5 if gap.end > gap.start else 0)
