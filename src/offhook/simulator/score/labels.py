"""What a recording holds and where: speech by its energy, and its words in between."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from offhook.simulator.ledger import Span
from offhook.values import Value

_FRAME = 80
_BELOW_PEAK = 32.0
"""dB below the loudest 10 ms (all but the last percent of them) down to which sound is taken for speech …"""
_ABOVE_FLOOR = 8.0
"""… if it lies so much above the quietest tenth."""
_BRIDGE = 12
"""Frames: a stop consonant closes the mouth for up to 100 ms."""
_SHORTEST = 3


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
    limit = max(np.percentile(level, 99) - _BELOW_PEAK, min(np.percentile(level, 10) + _ABOVE_FLOOR, -45.0))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], level > limit, [False]))))
    spans: list[Span] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if spans and start - spans[-1].end <= bridge:
            spans[-1] = Span(spans[-1].start, end)
        else:
            spans.append(Span(start, end))
    return [Span(span.start * _FRAME, span.end * _FRAME) for span in spans if span.end - span.start >= _SHORTEST]


def words(text: str, spans: Sequence[Span]) -> tuple[Word, ...]:
    """The words of a text laid over speech, in proportion to their letters; none lies across a pause."""
    tokens = text.split()
    if not tokens or not spans:
        return ()
    total = sum(span.end - span.start for span in spans)
    weights = [len(token) + 1 for token in tokens]
    edges = [round(total * part / sum(weights)) for part in accumulate(weights, initial=0)]
    placed = []
    for token, (begin, end) in zip(tokens, pairwise(edges), strict=True):
        span, offset = _span_of((begin + end) // 2, spans)
        start, stop = max(span.start, span.start + begin - offset), min(span.end, span.start + end - offset)
        placed.append(Word(token, start, stop))
    return tuple(placed)


def _span_of(voice: int, spans: Sequence[Span]) -> tuple[Span, int]:
    """The span in which so many samples of speech have been spoken, and how many lie before it."""
    passed = 0
    for span in spans:
        if voice < passed + span.end - span.start:
            return span, passed
        passed += span.end - span.start
    return spans[-1], passed - (spans[-1].end - spans[-1].start)
