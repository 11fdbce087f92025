"""What every kind of answer can do."""

from typing import ClassVar

from offhook.conversation.expectation import Answers, Expectation
from offhook.conversation.spotting import Phrase, spot, words_of
from offhook.values import Value


class Kind(Value, frozen=True):
    """A kind of answer. Its subclasses say how it is read, keyed and announced."""

    answers: ClassVar[Answers]
    most_words: ClassVar[int] = 10
    """No answer has more words than this."""

    @property
    def keys(self) -> int | None:
        """How many keys complete the answer; None: any number, and a terminator ends them."""
        raise NotImplementedError

    def read(self, words: Phrase, asked: bool) -> str | None:
        """The canonical value that exactly these words say. Unless `asked`, only words that cannot mean another kind
        of answer count: "two people", but not "two"."""
        raise NotImplementedError

    def from_digits(self, keys: str) -> str | None:
        """The canonical value that was keyed (terminator removed), or None where the keys are no answer."""
        raise NotImplementedError

    def grammar(self) -> str:
        """The body of a JSGF rule that covers the likely forms, "" where there is none."""
        raise NotImplementedError

    def hint(self) -> str:
        """A sentence that helps after a failure: what to say, and how to key it."""
        raise NotImplementedError

    def keywords(self) -> tuple[str, ...]:
        """Words worth listening for."""
        return ()

    def parse(self, text: str) -> str | None:
        """The canonical value of a transcript, or None where it is no answer."""
        return (spot(words_of(text), {"": self}) or {}).get("")

    def read_back(self, value: str) -> str:
        """The canonical value in words that can be spoken; `parse` understands them."""
        return value

    def expectation(self) -> Expectation:
        """What to expect while this is asked for."""
        return Expectation(self.answers, self.grammar(), self.keywords(), self.keys)
