"""The agent's voice: words recorded one by one from one person, so that it is known which sample belongs to which word.

A word that nobody recorded is hummed.
"""

import zlib
from collections.abc import AsyncIterator
from random import Random

import numpy as np

from offhook.conversation.words import normalise
from offhook.providers.scripted import hum
from offhook.simulator.score.corpus import DIGITS, Corpus, Pcm
from offhook.simulator.score.labels import Word
from offhook.simulator.score.speeches import trimmed
from offhook.timebase import RATE
from offhook.values import Value

LEVEL = -24.0
"""dBov: what a voice is brought to on its way out, so that it stays as it is."""
WORDS = DIGITS[1:8]
"""What long replies are made of; zero, eight and nine are left for short ones, so that nobody mistakes the two."""
_GAP, _BREATH = 480, 2_000
"""Samples of silence behind a word, and behind a sentence."""


class Spoken(Value, frozen=True):
    """What the voice was asked to say: the samples, and the words in them."""

    text: str
    samples: bytes
    words: tuple[Word, ...]


class RecordedVoice:
    """Speaks at once. `spoken` keeps what it was asked for; `delay` and `error` make it a bad one."""

    rate = RATE

    def __init__(self, corpus: Corpus) -> None:
        self.spoken: dict[str, Spoken] = {}
        self._corpus = corpus
        self._takes = next(iter(corpus.one_word().values()), {})

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        spoken = self.spoken.setdefault(text, self._say(text))
        for start in range(0, len(spoken.samples), 3_200):
            yield spoken.samples[start : start + 3_200]

    async def ready(self) -> None:
        """Always."""

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _say(self, text: str) -> Spoken:
        parts, words, at = list[Pcm](), list[Word](), 0
        for number, token in enumerate(text.split()):
            pcm = self._word(normalise(token), zlib.crc32(text.encode()) + number)
            words.append(Word(token, at, at + len(pcm)))
            gap = _BREATH if token[-1] in ".!?" else _GAP
            parts += pcm, np.zeros(gap, np.int16)
            at += len(pcm) + gap
        return Spoken(text, b"".join(part.tobytes() for part in parts), tuple(words))

    def _word(self, word: str, take: int) -> Pcm:
        takes = self._takes.get(word)
        if not takes:
            return np.frombuffer(hum(word, RATE, 0.25), "<i2")
        return trimmed(self._corpus, takes[take % len(takes)], LEVEL)


def reply(words: int, random: Random) -> str:
    """So many of `WORDS`, in sentences of four to six."""
    left, sentences = words, []
    while left > 0:
        count = left if left <= 7 else random.randint(4, 6)
        chosen = [random.choice(WORDS) for _ in range(count)]
        sentences.append(" ".join(chosen).capitalize() + ".")
        left -= count
    return " ".join(sentences)
