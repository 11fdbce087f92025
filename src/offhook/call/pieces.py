"""A piece of a reply: some words, their speech as far as it has come, and where each word lies in it."""

from dataclasses import dataclass, field

from offhook.call.inputs import WordSpan

_WORD_GUESS = 2_400
"""Samples of a word, 300 ms, where nothing better is known."""


@dataclass(slots=True)
class Piece:
    """A piece of a reply and its speech, as far as both have come."""

    text: str
    filler: bool = False
    """Said to bridge a silence: it answers nothing."""
    request: int | None = None
    audio: bytearray = field(default_factory=bytearray)
    words: list[WordSpan] = field(default_factory=list)
    done: bool = False
    failed: bool = False
    aloud: int | None = None
    """The request under which a speech model says it."""

    def words_within(self, heard: int) -> int:
        """How many of its words lie wholly within its first `heard` samples: by the voice's word times, else in
        proportion.
        """
        if heard <= 0:
            return 0
        if self.done and not self.failed and heard >= len(self.audio):
            return len(self.text.split())
        if self.words:
            return sum(word.end <= heard for word in self.words)
        return heard * len(self.text.split()) // self._samples

    def word_start(self, sample: int) -> int:
        """Where the word begins that `sample` lies in."""
        if self.words:
            return max((word.start for word in self.words if word.start <= sample), default=0)
        count = max(1, len(self.text.split()))
        return sample * count // self._samples * self._samples // count

    @property
    def _samples(self) -> int:
        """How long it is, or will be."""
        guess = _WORD_GUESS * len(self.text.split())
        return max(1, len(self.audio) if self.done and not self.failed else max(len(self.audio), guess))
