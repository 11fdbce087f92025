"""A piece of a reply: some words, their speech as far as it has come, and where each word lies in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from offhook.call.alignment import align
from offhook.call.inputs import WordSpan


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
    _found: tuple[tuple[int, int, bool, float], Sequence[WordSpan]] | None = None
    """Where its words were found to lie, and in what: that takes two milliseconds, and is asked several times."""

    @property
    def complete(self) -> bool:
        """All its speech has come."""
        return self.done and not self.failed

    def words_within(self, heard: int, pace: Callable[[], float]) -> int:
        """How many of its words lie wholly within its first `heard` samples. `pace` is asked how fast the voice
        speaks only where that matters: to find it out takes a millisecond."""
        if heard <= 0:
            return 0
        if self.complete and heard >= len(self.audio):
            return len(self.text.split())
        return sum(word.end <= heard for word in self._spans(pace))

    def word_start(self, sample: int, pace: Callable[[], float]) -> int:
        """Where the word begins that `sample` lies in, or the next one: who was interrupted in a pause has paused. What
        has no words goes on where it was cut."""
        spans = self._spans(pace)
        none = len(self.audio) if self.complete and spans else sample
        return next((word.start for word in spans if sample < word.end), none)

    def _spans(self, pace: Callable[[], float]) -> Sequence[WordSpan]:
        """Where its words lie: by the voice's own account, else by what can be heard of it. Of a voice that broke off,
        and that another went on for, the account is not whole."""
        if self.words and not (self.complete and len(self.words) < len(self.text.split())):
            return self.words
        expected = 0.0 if self.complete else pace()
        given = (len(self.text), len(self.audio), self.complete, expected)
        if self._found is None or self._found[0] != given:
            self._found = given, align(self.text, bytes(self.audio), complete=self.complete, pace=expected)
        return self._found[1]
