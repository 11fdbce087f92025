"""Which of the agent's samples were heard at the caller's ear, and when: the voice's samples are looked for in them.

What was played may have been made louder, softer or been faded at a cut; it is still the same in shape.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.simulator.ledger import Ledger
from offhook.simulator.score.labels import Word
from offhook.simulator.score.mouth import Spoken

Floats = NDArray[np.float32]

_BLOCK = 160
_LOOK = 1_280
_ALIKE = 0.9
_QUIET = 60.0
"""RMS below which 20 ms say nothing about where they come from."""


class Stretch(NamedTuple):
    """`length` samples from `source` on were heard from `at` on."""

    at: int
    source: int
    length: int


class Reference:
    """All that the voice was asked for, one after another."""

    def __init__(self, spoken: Iterable[Spoken]) -> None:
        pieces, at = list[NDArray[np.int16]](), 0
        self.words, self.begins = list[Word](), dict[str, int]()
        for one in spoken:
            pcm = np.frombuffer(one.samples, "<i2")
            self.begins[one.text] = at
            self.words += (Word(word.text, word.start + at, word.end + at) for word in one.words)
            pieces += pcm, np.zeros(_LOOK, np.int16)
            at += len(pcm) + _LOOK
        self.pcm: Floats = np.concatenate([*pieces, np.zeros(_LOOK, np.int16)]).astype(np.float32)


def follow(ear: Ledger, reference: Reference) -> list[Stretch]:
    """What was heard, in the order in which it was."""
    found: list[Stretch] = []
    for at, sound in _runs(ear):
        _follow_run(at, sound, reference.pcm, found)
    return found


def heard(reference: Reference, stretches: Sequence[Stretch], since: int = 0) -> NDArray[np.int32]:
    """How often each sample of the reference was heard, from a position on."""
    times = np.zeros(len(reference.pcm), np.int32)
    for stretch in stretches:
        skip = min(stretch.length, max(0, since - stretch.at))
        times[stretch.source + skip : stretch.source + stretch.length] += 1
    return times


def _runs(ear: Ledger) -> list[tuple[int, Floats]]:
    """What was played without a gap."""
    runs: list[tuple[int, list[bytes], int]] = []
    for at, audio in ear.pieces():
        if runs and runs[-1][2] == at:
            runs[-1][1].append(audio)
            runs[-1] = (runs[-1][0], runs[-1][1], at + len(audio))
        else:
            runs.append((at, [audio], at + len(audio)))
    return [(at, mulaw.decode(b"".join(parts)).astype(np.float32)) for at, parts, _ in runs]


def _follow_run(at: int, sound: Floats, reference: Floats, found: list[Stretch]) -> None:
    offset, source = 0, found[-1].source + found[-1].length if found else 0
    begin, began = 0, source
    locked = False
    while offset < len(sound):
        block = sound[offset : offset + _BLOCK]
        if locked and _alike(block, reference[source : source + len(block)]):
            offset, source = offset + len(block), source + len(block)
            continue
        if locked:
            found.append(Stretch(at + begin, began, offset - begin))
            locked = False
        if not _loud(block):
            offset += len(block)
            continue
        where = _where(sound[offset : offset + _LOOK], reference, source)
        if where is None:
            offset += len(block)
        else:
            locked, begin, began = True, offset, where
            offset, source = offset + len(block), where + len(block)
    if locked:
        found.append(Stretch(at + begin, began, len(sound) - begin))


def _where(sound: Floats, reference: Floats, expected: int) -> int | None:
    """Where in the reference some sound lies; of places that are as good, the next to the expected one."""
    size = 1 << (len(reference) + len(sound) - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(reference, size) * np.conj(np.fft.rfft(sound, size)), size)
    products = products[: len(reference) - len(sound) + 1]
    energy = np.concatenate(([0.0], np.cumsum(reference.astype(np.float64) ** 2)))
    power = energy[len(sound) :] - energy[: -len(sound)]
    alike = products / np.sqrt(np.maximum(power, 1e4) * float(sound @ sound))
    best = float(alike.max())
    if best < _ALIKE:
        return None
    good = np.flatnonzero(alike >= best - 0.01)
    return int(good[np.argmin(np.abs(good - expected))])


def _alike(one: Floats, other: Floats) -> bool:
    if len(one) != len(other):
        return False
    if not _loud(one) or not _loud(other):
        return _loud(one) == _loud(other) or min(_rms(one), _rms(other)) > _QUIET / 3
    return float(one @ other) >= 0.8 * float(np.sqrt((one @ one) * (other @ other)))


def _loud(sound: Floats) -> bool:
    return _rms(sound) > _QUIET


def _rms(sound: Floats) -> float:
    return float(np.sqrt(sound @ sound / max(1, len(sound))))
