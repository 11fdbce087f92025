"""Where the words of a text lie in its speech, from what a voice says about where they begin."""

from collections import deque
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from offhook.call.inputs import WordSpan

_AUDIBLE = 104
"""Of 32,768: -50 dBov. Speech leaves at -24."""
_FADES = 160
"""Samples that a word goes on behind its last loud one."""


class WordTimes:
    """Of one text. Spans come in the order of the words, one for each, as soon as it is known where they end: a word
    ends with its last sound before the next begins. A word of which the voice says nothing has no length.
    """

    def __init__(self, text: str) -> None:
        self._words = text.split()
        self._told: deque[tuple[int, int]] = deque()
        """Numbers of words, and where they begin, of which the sound has not come."""
        self._next = 0
        self._began: int | None = None
        """Where the word before `next` began; None where none has."""
        self._loud = self._heard = 0
        """Where the last loud sample of a word ends, and all that has been heard."""

    def begins(self, word: int, at: int) -> None:
        """The word of this number, counted from 0, begins at sample `at`. Words that have begun cannot begin anew."""
        last, since = self._told[-1] if self._told else (self._next - 1, self._heard)
        if last < word < len(self._words):
            self._told.append((word, max(at, since)))

    def hear(self, samples: NDArray[np.int16]) -> Iterator[WordSpan]:
        """The next of the speech, at 8 kHz."""
        while self._told and self._told[0][1] <= self._heard + len(samples):
            word, at = self._told.popleft()
            before, samples = np.split(samples, [at - self._heard])
            self._listen(before)
            yield from self._begin(word)
        self._listen(samples)

    def finish(self) -> Iterator[WordSpan]:
        """All the speech has come. Nothing follows where the voice has not said where a single word is."""
        for word, _ in self._told:
            yield from self._begin(word)
        if self._began is not None:
            yield from self._begin(len(self._words))

    def _listen(self, samples: NDArray[np.int16]) -> None:
        if self._began is not None:
            loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > _AUDIBLE)
            if len(loud):
                self._loud = self._heard + int(loud[-1]) + 1
        self._heard += len(samples)

    def _begin(self, word: int) -> Iterator[WordSpan]:
        """It begins where all has been heard; the one before has ended."""
        if self._began is not None:
            end = max(self._began, min(self._heard, self._loud + _FADES))
            yield WordSpan(self._words[self._next - 1], self._began, end)
        yield from (WordSpan(missed, self._heard, self._heard) for missed in self._words[self._next : word])
        self._next, self._began = word + 1, self._heard
