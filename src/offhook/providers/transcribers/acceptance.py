"""Whether to believe what a grammar made of an utterance: a grammar always answers something.

The same audio is also decoded as a loop of all sounds, which fits anything. Where the words fit nearly as well as the
loop does, they were said. The numbers below are a logistic regression over 1,400 pairs of a recording that is no
answer and a question's grammar, and 74 that are (people of both sexes on the telephone's band): when left out eight
by eight, 3 of 100 non-answers were believed, most of them words of one syllable, and 81 of 100 answers.
"""

from typing import NamedTuple

FILLER = "any_"
"""What the words of the loop of all sounds begin with."""


class Segment(NamedTuple):
    """A stretch of 10 ms frames, `end` exclusive, that was taken for `word`.

    `score` is its log-likelihood in nats, relative in each frame to the sound that fits the frame best; `phones` is
    how many sounds the word has, 0 for silence and noise.
    """

    word: str
    start: int
    end: int
    score: float
    phones: int


_BIAS = 5.86
_PER_PHONE = 0.074
_LOOP = 2.76
_PER_FRAME = 1.58


def belief(heard: list[Segment], loop: list[Segment]) -> float:
    """How much speaks for the words in `heard`; from 0 up they are believed.

    Three measures: how much worse than the loop they do, per sound; how many sounds the loop took for each of theirs,
    since its freedom grows with them; and how well they fit their frames on the whole.
    """
    phones = sum(segment.phones for segment in heard)
    sounds = sum(segment.phones for segment in loop)
    behind = (sum(segment.score for segment in heard) - sum(segment.score for segment in loop)) / phones
    words = [segment for segment in heard if segment.phones]
    fit = sum(word.score for word in words) / sum(word.end - word.start for word in words)
    return _BIAS + _PER_PHONE * behind + _LOOP * (sounds + 1) / (phones + 1) + _PER_FRAME * fit


def verdict(heard: list[Segment], loop: list[Segment], trust: float = 0.0) -> tuple[str, bool]:
    """The words to believe ("" for none), and whether all that was said is known: `("", True)` for no speech at
    all. `trust` is believed on top of what the words deserve."""
    if not any(segment.phones for segment in loop):
        return "", True
    words = [segment.word for segment in heard if segment.phones]
    if not words or belief(heard, loop) < -trust:
        return "", False
    return " ".join(words), True
