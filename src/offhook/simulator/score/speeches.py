"""What callers say, made of recordings: turns with pauses of a stated length, dictated numbers, words cut short."""

import math
from collections.abc import Sequence
from random import Random

import numpy as np

from offhook.audio import mulaw
from offhook.simulator.acoustics import SPEECH_LEVEL
from offhook.simulator.ledger import Span
from offhook.simulator.score import labels
from offhook.simulator.score.corpus import DIGITS, Corpus, Pcm, Recording, Speech, levelled
from offhook.simulator.score.labels import Word
from offhook.timebase import RATE

_MEDIAN, _SPREAD = 0.75, 0.515
"""Seconds, and the deviation of its logarithm: pauses inside turns are log-normal, one in twenty above 1.75 s, so that
a timer needs for 5 % of them about what it was measured to need on real turns (1.6 to 1.9 s)."""
_SHORTEST, _LONGEST = 0.3, 3.0
_AWAY = 0.4
"""Seconds of speech on both sides of a pause."""
_DIP = 4
"""Frames of 10 ms: a silence of 40 ms lies between words."""


def hold_length(random: Random) -> int:
    """Samples of a pause inside a turn."""
    return round(min(_LONGEST, max(_SHORTEST, random.lognormvariate(math.log(_MEDIAN), _SPREAD))) * RATE)


def hesitant(corpus: Corpus, recording: Recording, random: Random) -> Speech | None:
    """A sentence spoken with one or two pauses between its words; None where nothing in it parts."""
    pcm = levelled(corpus.pcm(recording), SPEECH_LEVEL)
    spans = labels.voiced(pcm, _DIP)
    chosen = _dips(spans, random)
    if not chosen:
        return None
    words = labels.words(recording.text, spans, labels.levels(pcm))
    parts: list[Pcm] = [pcm[max(0, spans[0].start - 400) : spans[0].end]]
    at, shift = len(parts[0]), [max(0, spans[0].start - 400)]
    holds = []
    moved = {0: -shift[0]}
    for index in range(1, len(spans)):
        gap = pcm[spans[index - 1].end : spans[index].start]
        if index in chosen:
            room = corpus.room_tone(hold_length(random), random)
            gap = np.concatenate((gap[: len(gap) // 2], room, gap[len(gap) // 2 :]))
            holds.append(Span(at, at + len(gap)))
        parts += gap, pcm[spans[index].start : spans[index].end]
        moved[index] = at + len(gap) - spans[index].start
        at += len(gap) + len(parts[-1])
    placed = tuple(_moved(word, spans, moved) for word in words)
    whole = mulaw.encode(np.concatenate([*parts, np.zeros(400, np.int16)]))
    start = spans[0].start - shift[0]
    return Speech(f"{recording.file}, hesitant", whole, start, at, placed, tuple(holds), natural=False)


def _dips(spans: Sequence[Span], random: Random) -> list[int]:
    """One or two places where a sentence parts, well away from its ends and from each other."""
    away = round(_AWAY * RATE)
    dips = [
        at
        for at in range(1, len(spans))
        if spans[at].start - spans[0].start > away and spans[-1].end - spans[at].start > away
    ]
    if not dips:
        return []
    first = random.choice(dips)
    others = [at for at in dips if abs(spans[at].start - spans[first].start) > away]
    return sorted([first, random.choice(others)]) if others and random.random() < 0.4 else [first]


def _moved(word: Word, spans: Sequence[Span], moved: dict[int, int]) -> Word:
    middle = (word.start + word.end) // 2
    index = next(number for number, span in enumerate(spans) if middle < span.end)
    return Word(word.text, word.start + moved[index], word.end + moved[index])


def dictated(corpus: Corpus, groups: Sequence[int], gap: tuple[float, float], random: Random) -> Speech:
    """A number dictated in groups, with pauses of `gap` seconds between them and short ones inside."""
    speakers = [words for words in corpus.one_word().values() if set(DIGITS) <= set(words)]
    speaker = random.choice(speakers)
    parts: list[Pcm] = [np.zeros(400, np.int16)]
    words, holds, at = list[Word](), list[Span](), 400
    for number, group in enumerate(groups):
        for place in range(group):
            if number and not place:
                pause = round(random.uniform(*gap) * RATE)
                holds.append(Span(at, at + pause))
            else:
                pause = round(random.uniform(0.05, 0.15) * RATE) if words else 0
            digit = random.choice(DIGITS)
            pcm = trimmed(corpus, random.choice(speaker[digit]))
            parts += np.zeros(pause, np.int16), pcm
            words.append(Word(digit, at + pause, at + pause + len(pcm)))
            at += pause + len(pcm)
    audio = mulaw.encode(np.concatenate([*parts, np.zeros(400, np.int16)]))
    label = f"{'-'.join(map(str, groups))} digits"
    return Speech(label, audio, 400, at, tuple(words), tuple(holds), natural=False)


def trimmed(corpus: Corpus, recording: Recording, dbov: float = SPEECH_LEVEL) -> Pcm:
    """One word, without the silence around it."""
    pcm = levelled(corpus.pcm(recording), dbov)
    spans = labels.voiced(pcm)
    return pcm[spans[0].start : spans[-1].end] if spans else pcm


def cut_short(speech: Speech, seconds: float) -> Speech:
    """Somebody begins and does not go on."""
    end = min(speech.end, speech.start + round(seconds * RATE))
    words = tuple(word for word in speech.words if word.start < end)
    return Speech(f"{speech.label}, broken off", speech.mulaw[:end] + mulaw.SILENCE * 400, speech.start, end, words)


def then(first: Speech, pause: float, second: Speech) -> Speech:
    """One thing after another, `pause` seconds between the two."""
    gap = round(pause * RATE)
    shift = first.end + gap - second.start
    head = first.mulaw[: first.end] + mulaw.SILENCE * max(0, gap - second.start)
    shift = len(head)
    later = tuple(Word(word.text, word.start + shift, word.end + shift) for word in second.words)
    hold = Span(first.end, shift + second.start)
    label = f"{first.label} … {second.label}"
    audio = head + second.mulaw
    return Speech(label, audio, first.start, shift + second.end, first.words + later, (hold,), natural=False)
