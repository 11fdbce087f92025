"""Where the words of a text lie in its speech, for a voice that does not say: by how long they take to say, and by the
pauses and dips that can be heard.

Each word may end at a pause, at a dip in loudness, or where its length leads one to expect; of all ways to lay the words
out, the one is taken that costs least by length and gains most by pauses. docs/theory/words-heard.md has the figures.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from offhook.call.inputs import WordSpan

_FRAME = 80
"""Samples, 10 ms, in which sound is looked at. Everything below counts frames."""
_LOUDNESS = bytes(127 - (code & 127) for code in range(256))
"""How loud a mu-law code is, 0 to 127: 16 more are 6 dB."""
_QUIET = 56
"""So far below the loudest twentieth, 21 dB, is a pause."""
_LEVEL = 12
"""Speech swells and dies away. Sound that stands within 4.5 dB of its loudest on both sides of a pause was put together
word by word."""
_PACE = 0.11
"""Frames for a millisecond of `length`, where the voice has not been heard yet: a little slower than espeak-ng."""
_SECOND = 100
_LONG = 12
"""A longer pause is no part of a word and not of the pace either."""
_TAIL = 4
"""A word ends so long after its last sound: a shorter pause belongs to it."""
_WINDOW = 3.5
"""A word is off its expected length by so many spreads at most."""
_STATES = 12
"""How many ways to lay out the words so far are followed up."""
_CLAUSE_END = re.compile(r"[,;:.!?…–—]\W*\Z")
_LETTER = re.compile(r"\W*[B-HJ-Z]\W*\Z")


class _Gap(NamedTuple):
    """Where a word may end: its last frame, the first of the next word, and what speaks for it."""

    start: int
    end: int
    worth: float
    cut: bool = False


class _Layout(NamedTuple):
    """A way to lay out the words so far: the last of them ends at `gap`."""

    cost: float
    gap: _Gap
    before: "_Layout | None"


def length(word: str) -> int:
    """About how many milliseconds a word takes to say.

    A fit to espeak-ng and to people who read: letters predict it better than syllables do. Digits and symbols are words
    of their own, and who ends a clause draws it out.
    """
    letters, digits, symbols = (sum(map(kind, word)) for kind in (str.isalpha, str.isdigit, "$€£%&@#+=".__contains__))
    spelt = 130 if _LETTER.match(word) else 0
    short = 25 if letters <= 3 else 75
    drawn = 130 if _CLAUSE_END.search(word) else 0
    return max(40, 45 * letters + (short if letters else 0) + 350 * digits + 300 * symbols + spelt + drawn)


def pace(text: str, samples: int) -> float:
    """How fast a voice is that took so many samples to say `text`, for `align`."""
    return samples / _FRAME / max(1, sum(map(length, text.split())))


def align(text: str, mulaw: bytes, *, complete: bool, pace: float = _PACE) -> list[WordSpan]:
    """Where each word of `text` lies in its speech, in samples at 8 kHz.

    While the speech is not `complete`, `pace` tells where the words that have not come yet are to be expected.
    """
    words = text.split()
    loudness = [_loudness(mulaw[at : at + _FRAME]) for at in range(0, len(mulaw), _FRAME)]
    quiet = sorted(loudness)[len(loudness) * 19 // 20] - _QUIET if loudness else 0
    spoken = [frame for frame, level in enumerate(loudness) if level > quiet] or [0]
    first, last = spoken[0], spoken[-1] + 1
    gaps = sorted([*_pauses(loudness, quiet, first, last), *_dips(loudness, quiet, first, last)])
    if complete:
        pauses = sum(gap.end - gap.start for gap in gaps if gap.end - gap.start >= _LONG)
        pace = (last - first - pauses) / max(1, sum(map(length, words)))
    layout = _best(words, gaps, first, last, pace, complete)
    ends = []
    while layout.before is not None:
        ends.append((layout.before.gap.end, min(layout.gap.end, layout.gap.start + _TAIL)))
        layout = layout.before
    spans = zip(words, reversed(ends), strict=True)
    return [WordSpan(word, start * _FRAME, end * _FRAME) for word, (start, end) in spans]


def _loudness(mulaw: bytes) -> float:
    return sum(mulaw.translate(_LOUDNESS)) / len(mulaw)


def _pauses(loudness: list[float], quiet: float, first: int, last: int) -> Iterator[_Gap]:
    start = first
    for frame in range(first, last):
        if loudness[frame] > quiet:
            if frame > start:
                rim = min(max(loudness[max(first, start - 2) : start]), max(loudness[frame : frame + 2]))
                cut = rim > quiet + _QUIET - _LEVEL
                yield _Gap(start, frame, 10 if cut else 0.6 + 0.06 * min(frame - start, 20), cut)
            start = frame + 1


def _dips(loudness: list[float], quiet: float, first: int, last: int) -> Iterator[_Gap]:
    for frame in range(first + 3, last - 1):
        level = loudness[frame]
        if level > quiet and level == min(loudness[frame - 2 : frame + 3]):
            rim = min(max(loudness[max(first, frame - 10) : frame]), max(loudness[frame + 1 : min(last, frame + 11)]))
            if rim - level > 6:
                yield _Gap(frame, frame, 0.6 * min(1.0, (rim - level) / 40))


def _best(words: list[str], gaps: list[_Gap], first: int, last: int, pace: float, complete: bool) -> _Layout:
    """The layout that costs least; the costs are those of a normal distribution, with a fat tail."""
    pauses = [gap for gap in gaps if gap.end > gap.start]
    wordwise = sum(gap.cut for gap in pauses) * 2 > len(pauses)
    layouts = [_Layout(0, _Gap(first, first, 0), None)]
    for index, word in enumerate(words):
        final = index == len(words) - 1
        expected = length(word) * pace
        spread = 0.2 * expected + 4
        ends_clause = bool(_CLAUSE_END.search(word)) and not final
        found: dict[int, _Layout] = {}
        for before in layouts:
            begin = before.gap.end
            guess = max(begin + 1, round(begin + expected))
            if complete:
                guess = last if final else min(guess, last)
            near = [] if complete and final else _within(gaps, begin, expected, _WINDOW * spread)
            for gap in (*near, _Gap(guess, guess, -10 if wordwise and guess < last else 0)):
                off = abs(gap.start - begin - expected) / spread
                unheard = 3 - min(gap.end - gap.start, 15) / 5 if ends_clause else 0
                cost = before.cost + min(off * off / 2, 2 + off) - gap.worth + unheard
                if gap.start not in found or cost < found[gap.start].cost:
                    found[gap.start] = _Layout(cost, gap, before)
        layouts = sorted(found.values(), key=lambda layout: layout.cost)[:_STATES]
    return layouts[0]


def _within(gaps: list[_Gap], begin: int, expected: float, off: float) -> Iterator[_Gap]:
    """Where a word that begins at `begin` may end. One that was put there for itself may have any length."""
    earliest, latest = begin + max(1.0, expected - off), begin + expected + off
    for gap in islice(gaps, bisect_right(gaps, begin, key=attrgetter("start")), None):
        if gap.start > max(latest, begin + _SECOND):
            return
        if earliest <= gap.start <= latest or gap.cut:
            yield gap
