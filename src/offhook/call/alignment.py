"""Where the words of a text lie in its speech, for a voice that does not say: by how long words take to say, and by
where it becomes softer.

A word ends where the voice dips or pauses, or where its length leads one to expect. Of all ways to lay the words out
the one is taken that is most likely by their lengths and by the dips between them, and in which clauses end at pauses.

What is said below about dips was counted in 2,800 of them: in espeak-ng's speech, seven voices whose word times it
tells, and in 39 utterances of people, whose words a recogniser was made to find.
"""

import re
from bisect import bisect_right
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
"""if it lasts for 80 ms: what is shorter may be inside a "p" or a "t"."""
_DIP = 10
"""A voice dips where it becomes softer by 4 dB and louder again. Of shallower dips one in six ends a word."""
_EVEN, _STEEP, _DEEPEST = 32, 16, 48
"""A dip of 12 dB ends a word as often as not, and each 6 dB more make that about e times as likely, up to 18 dB: the
closure of a "p" or a "t" is deeper still."""
_CLOSURE, _SILENT = 2, 4
"""But a closure is short. Beyond 20 ms each 40 ms of silence make it e times as likely again, …"""
_LONGEST_SILENCE = 16
"""… until it is certain."""
_UNHEARD = 2.5
"""What speaks against a word's ending where nothing dips: one in five of people's words does, one in ten of
espeak-ng's."""
_FULL = 12
"""Speech swells and dies away. Where a dip has sound within 4.5 dB of the loudest on both sides, however short it is,
the sound was put together word by word."""
_LONGEST_CUT = 100
"""A word that was put there for itself lasts for a second at most."""
PACE = 0.11
"""Frames for a millisecond of `length`, where a voice has not been heard yet."""
_LONG = 12
"""A longer pause does not tell how fast somebody speaks."""
_TAIL = 4
"""A word ends so long after its last sound: a shorter pause belongs to it."""
_WINDOW = 4.5
"""A word is off its expected length by so many spreads at most."""
_DRAWN = 130
"""Milliseconds by which the last word of a clause is drawn out, by a voice that speaks sentences. One that is put
together of recorded words does not do so."""
_LAYOUTS = 8
"""How many ways to lay out the words so far are followed up."""
_SYMBOLS = frozenset("$€£%&@#+=")
_CLAUSE_END = re.compile(r"[,;:.!?…–—]\W*\Z")
_LETTER = re.compile(r"\W*[B-HJ-Z]\W*\Z")


class _Gap(NamedTuple):
    """Where one word may end and the next begin: what speaks against it, as minus the logarithm of the odds. `cut`:
    somebody put it there."""

    start: int
    end: int
    cost: float
    cut: bool = False


class _Layout(NamedTuple):
    """A way to lay out the words so far, the last of which ends at `gap`. The cost is minus the logarithm of how likely
    it is.
    """

    cost: float
    gap: _Gap
    before: "_Layout | None"


def length(word: str, drawn: int = _DRAWN) -> int:
    """About how many milliseconds a word takes to say, `drawn` of them more at the end of a clause.

    A fit to espeak-ng and to people who read aloud: letters tell more than syllables do. Digits and symbols are words
    of their own, and the end of a clause is drawn out.
    """
    letters = sum(map(str.isalpha, word))
    digits, symbols = sum(map(str.isdigit, word)), sum(map(_SYMBOLS.__contains__, word))
    base = 0 if not letters else 170 if _LETTER.match(word) else 50 if letters <= 3 else 80
    return max(40, base + 40 * letters + 350 * digits + 300 * symbols + (drawn if _CLAUSE_END.search(word) else 0))


def pace(text: str, mulaw: bytes) -> float:
    """How fast a voice is that speaks a text so: what `align` wants to know about speech that is not complete."""
    measured = _Sound(mulaw).spoken / max(1, sum(map(length, text.split())))
    return min(max(measured, PACE / 2), PACE * 2)


def align(text: str, mulaw: bytes, *, complete: bool, pace: float = PACE) -> list[WordSpan]:
    """Where each word of a text lies in its speech, in samples at 8 kHz.

    While the speech is not `complete`, `pace` tells where the words that have not come yet are to be expected.
    """
    words, sound = text.split(), _Sound(mulaw)
    layout = min((_laid_out(words, sound, pace, complete, drawn) for drawn in (_DRAWN, 0)), key=_cost)
    spans = []
    while layout.before is not None:
        spans.append((layout.before.gap.end, min(layout.gap.end, layout.gap.start + _TAIL)))
        layout = layout.before
    return [WordSpan(w, a * _FRAME, b * _FRAME) for w, (a, b) in zip(words, reversed(spans), strict=True)]


class _Sound:
    """Where speech begins and ends, and where in it words may end."""

    def __init__(self, mulaw: bytes) -> None:
        loudness = [_loudness(mulaw[at : at + _FRAME]) for at in range(0, len(mulaw), _FRAME)]
        loud = sorted(loudness)[len(loudness) * 19 // 20] if loudness else 0.0
        frames = [frame for frame, level in enumerate(loudness) if level > loud - _QUIET] or [0]
        self.first, self.last = frames[0], frames[-1] + 1
        self._silences = [(one + 1, other) for one, other in pairwise(frames) if other > one + 1]
        self.gaps = list(self._gaps(loudness, loud))
        pauses = [gap for gap in self.gaps if gap.cut or gap.end - gap.start >= _PAUSE]
        self.wordwise = sum(gap.cut for gap in pauses) * 2 > len(pauses)
        """It was put together word by word."""

    @property
    def spoken(self) -> int:
        """How long somebody speaks."""
        pauses = (end - start for start, end in self._silences)
        return self.last - self.first - sum(pause for pause in pauses if pause >= _LONG)

    def _gaps(self, loudness: list[float], loud: float) -> Iterator[_Gap]:
        silences = {frame: (start, end) for start, end in self._silences for frame in range(start, end)}
        for depth, low in _dips(loudness[self.first : self.last]):
            start, end = silences.get(low + self.first, (low + self.first, low + self.first))
            sides = loudness[max(0, start - 2) : start], loudness[end : end + 2]
            cut = end > start and min(map(max, sides)) > loud - _FULL
            yield _Gap(start, end, -10 if cut else _against(depth, end - start), cut)


def _loudness(mulaw: bytes) -> float:
    return sum(mulaw.translate(_LOUDNESS)) / len(mulaw)


def _dips(loudness: list[float]) -> Iterator[tuple[float, int]]:
    """How deep it becomes softer before it becomes louder again, and where it is softest."""
    before = peak = 0.0
    low, falling = 0, False
    for frame, level in enumerate(loudness):
        if falling and level < loudness[low]:
            low = frame
        elif falling and level >= loudness[low] + _DIP:
            falling, peak = False, level
        elif not falling:
            peak = max(peak, level)
            if level <= peak - _DIP:
                if low:
                    yield min(before, peak) - loudness[low], low
                before, low, falling = peak, frame, True
    if low and not falling:
        yield min(before, peak) - loudness[low], low


def _against(depth: float, silence: int) -> float:
    """What speaks against a word's ending at a dip, but for the word's length."""
    longer = min(max(0, silence - _CLOSURE), _LONGEST_SILENCE)
    return (_EVEN - min(depth, _DEEPEST)) / _STEEP - longer / _SILENT


def _cost(layout: _Layout) -> float:
    return layout.cost


def _laid_out(words: list[str], sound: _Sound, pace: float, complete: bool, drawn: int) -> _Layout:
    """The likeliest way to lay the words out, if clauses are drawn out by so much."""
    lengths = [length(word, drawn) for word in words]
    if complete:
        pace = sound.spoken / max(1, sum(lengths))
    layouts = [_Layout(0, _Gap(sound.first, sound.first, 0), None)]
    for word, expected in zip(words[:-1], lengths, strict=False):
        found: dict[int, _Layout] = {}
        for before in layouts:
            for layout in _next(before, sound, expected * pace, bool(_CLAUSE_END.search(word)), complete):
                if layout.gap.start not in found or layout.cost < found[layout.gap.start].cost:
                    found[layout.gap.start] = layout
        layouts = sorted(found.values(), key=_cost)[:_LAYOUTS]
    if not words:
        return layouts[0]
    return min((_last(before, sound, lengths[-1] * pace, complete) for before in layouts), key=_cost)


def _next(before: _Layout, sound: _Sound, expected: float, ends_clause: bool, complete: bool) -> Iterator[_Layout]:
    """The ways to lay out one word more, which is not the last."""
    begin = before.gap.end
    guess = max(begin + 1, round(begin + expected))
    if complete:
        guess = min(guess, sound.last)
    for gap in (*_near(sound.gaps, begin, expected), _Gap(guess, guess, _UNHEARD)):
        cost = before.cost + _off(gap.start - begin, expected) + gap.cost
        if not gap.cut:
            cost += 3 - min(gap.end - gap.start, 15) / 5 if ends_clause else 0
            cost += 10 if sound.wordwise and guess < sound.last else 0
        yield _Layout(cost, gap, before)


def _last(before: _Layout, sound: _Sound, expected: float, complete: bool) -> _Layout:
    """The last word ends with the speech, if that is complete."""
    begin = before.gap.end
    end = sound.last if complete else max(begin + 1, round(begin + expected))
    return _Layout(before.cost + _off(end - begin, expected), _Gap(end, end, 0), before)


def _off(frames: int, expected: float) -> float:
    """What speaks against a word's lasting so long."""
    off = abs(frames - expected) / _spread(expected)
    return min(off * off / 2, 2 + off)


def _spread(expected: float) -> float:
    return 0.15 * expected + 4


def _near(gaps: list[_Gap], begin: int, expected: float) -> Iterator[_Gap]:
    """The gaps at which a word may end that begins at `begin`."""
    end, window = begin + expected, _WINDOW * _spread(expected)
    for at in range(bisect_right(gaps, begin, key=_start), len(gaps)):
        gap = gaps[at]
        if abs(gap.start - end) <= window or (gap.cut and gap.start < begin + _LONGEST_CUT):
            yield gap
        elif gap.start > begin + _LONGEST_CUT and gap.start > end:
            return


def _start(gap: _Gap) -> int:
    return gap.start
