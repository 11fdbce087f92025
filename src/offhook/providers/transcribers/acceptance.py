"""Whether to believe what a grammar made of an utterance: a grammar always answers something."""

from typing import NamedTuple

FILLER = "any_"
"""What the words of the loop of all sounds begin with."""


class Segment(NamedTuple):
    """A stretch of frames (10 ms each, `end` exclusive) that was taken for `word`.

    `score` is its log-likelihood, relative in each frame to the sound that fits the frame best, so never above 0;
    `phones` is how many sounds the word has, 0 for silence and noise.
    """

    word: str
    start: int
    end: int
    score: float
    phones: int


def verdict(text: str, heard: list[Segment], loop: list[Segment]) -> tuple[str, bool]:
    """The text to believe ("" for none), and whether all that was said is known. `("", True)`: nothing was said."""
    if not any(segment.phones for segment in loop):
        return "", True
    if not text or belief(heard, loop) < BELIEVED:
        return "", False
    return text, True


BELIEVED = 0.0
WORST = 1.0
MEAN = 1.0
BIAS = 0.0


def belief(heard: list[Segment], loop: list[Segment]) -> float:
    """How much speaks for an answer.

    Two measures: the word that does worst against the loop of all sounds over the same frames, per sound; and how
    well the words fit their frames on the whole.
    """
    frames = [0.0] * (loop[-1].end + 1)
    for segment in loop:
        share = segment.score / (segment.end - segment.start)
        frames[segment.start : segment.end] = [share] * (segment.end - segment.start)
    words = [segment for segment in heard if segment.phones]
    worst = min((word.score - sum(frames[word.start : word.end])) / word.phones for word in words)
    mean = sum(word.score for word in words) / sum(word.end - word.start for word in words)
    return BIAS + WORST * worst + MEAN * mean
