"""What a recording holds and where: speech by its energy, and its words in between."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from offhook.simulator.ledger import Span
from offhook.values import Value

_FRAME = 80
_BELOW_PEAK = 25.0
"""dB below the loudest 10 ms (all but the last percent of them) down to which sound is taken for speech …"""
_ABOVE_FLOOR = 6.0
"""… if it lies so much above the quietest twentieth, …"""
_AT_LEAST = 12.0
"""… which may itself be speech: what lies so little below the loudest always is."""
_BRIDGE = 12
"""Frames: a stop consonant closes the mouth for up to 100 ms."""
_SHORTEST = 3
_CLICK = 15
_NO_WORD = 12.0
"""dB below the loudest to which the first or last sound comes, if it is a word: else it is breath, applause, the room.
Three recordings begin or end with a softer one; of the two that are written down it is hum, and applause."""
_AROUND = 10


class Word(Value, frozen=True):
    """A word and the samples that carry it."""

    text: str
    start: int
    end: int


def levels(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """dBov of each 10 ms."""
    whole = pcm[: len(pcm) // _FRAME * _FRAME].astype(np.float64).reshape(-1, _FRAME)
    return np.asarray(10 * np.log10((whole**2).mean(axis=1) / 2**30 + 1e-10))


def voiced(pcm: NDArray[np.int16], bridge: int = _BRIDGE) -> list[Span]:
    """Where somebody speaks, in samples; silences up to `bridge` times 10 ms belong to it."""
    level = levels(pcm)
    if not len(level):
        return []
    floor, peak = np.percentile(level, (5, 99))
    limit = max(peak - _BELOW_PEAK, min(floor + _ABOVE_FLOOR, peak - _AT_LEAST))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], level > limit, [False]))))
    spans: list[Span] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if spans and start - spans[-1].end <= bridge:
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(start, end))
    spans = [span for span in spans if span.end - span.start >= _SHORTEST]
    while len(spans) > 1 and _is_no_word(spans[-1], spans[-1].start - spans[-2].end, level - peak):
        spans.pop()
    while len(spans) > 1 and _is_no_word(spans[0], spans[1].start - spans[0].end, level - peak):
        spans.pop(0)
    return [Span(span.start * _FRAME, span.end * _FRAME) for span in spans]


def _is_no_word(span: Span, apart: int, level: NDArray[np.float64]) -> bool:
    """A short or soft sound far from the rest: a lip, a breath, a switch. `level` is measured from the loudest."""
    soft = level[span.start : span.end].max() < -_NO_WORD
    return apart > _BRIDGE and (soft or span.end - span.start < _CLICK)


def words(text: str, spans: Sequence[Span], level: NDArray[np.float64]) -> tuple[Word, ...]:
    """The words of a text laid over speech, in proportion to their letters, and parted where it is quietest
    thereabouts (`level`: see `levels`); none lies across a pause."""
    tokens = text.split()
    if not tokens or not spans:
        return ()
    total = sum(span.end - span.start for span in spans)
    weights = [len(token) + 1 for token in tokens]
    edges = [round(total * part / sum(weights)) for part in accumulate(weights, initial=0)]
    placed = list[Word]()
    for token, (begin, end) in zip(tokens, pairwise(edges), strict=True):
        span, offset = _span_of((begin + end) // 2, spans)
        start = placed[-1].end if placed and placed[-1].end > span.start else span.start
        stop = span.start + end - offset
        if stop < span.end - _AROUND * _FRAME:
            stop = _quietest(level, max(start + 2 * _FRAME, stop - _AROUND * _FRAME), stop + _AROUND * _FRAME)
        else:
            stop = span.end
        placed.append(Word(token, start, max(stop, start + _FRAME)))
    return tuple(placed)


def _quietest(level: NDArray[np.float64], start: int, end: int) -> int:
    """The middle of the quietest 30 ms between two samples."""
    near = np.convolve(level, np.ones(3) / 3, "same")[start // _FRAME : max(start // _FRAME + 1, end // _FRAME)]
    return (start // _FRAME + int(np.argmin(near))) * _FRAME + _FRAME // 2


def _span_of(voice: int, spans: Sequence[Span]) -> tuple[Span, int]:
    """The span in which so many samples of speech have been spoken, and how many lie before it."""
    passed = 0
    for span in spans:
        if voice < passed + span.end - span.start:
            return span, passed
        passed += span.end - span.start
    return spans[-1], passed - (spans[-1].end - spans[-1].start)
