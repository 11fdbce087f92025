"""Kinds of answers: how each is said, keyed, understood, read back, and announced to recogniser and keypad.

`parse` takes a transcript as any recogniser might write it and gives the answer's canonical value, or None where the
text is no answer. Values are plain text, so that a call's answers can travel as they are. The phrases are English.
"""

from typing import ClassVar

from offhook.conversation import numbers
from offhook.conversation.days import Day
from offhook.conversation.durations import HowLong
from offhook.conversation.expectation import Answers, Expectation
from offhook.conversation.grammar import DIGIT_STRING, alternatives, maybe, spoken
from offhook.conversation.grammar import numbers as number_words
from offhook.conversation.kinds import Kind
from offhook.conversation.spotting import Phrase
from offhook.conversation.times import TimeOfDay
from offhook.conversation.words import Meaning, kind, phrases
from offhook.errors import ConfigurationError

YES = phrases(
    """yes|yeah|yep|yup|ya|yes please|yes it is|yes that's right|that's it|yes that's it|yes that is right
    yes that's correct|that's right|that is right|right|correct|that's correct|that is correct|exactly|sure
    of course|okay|ok|absolutely|definitely|certainly|it is|i do|yes i do|yes i would|uh huh|mm hmm|sounds good
    perfect|all right|alright|fine|that's fine|affirmative|you got it|go ahead"""
)
NO = phrases(
    """no|nope|nah|no thanks|no thank you|no it's not|no it isn't|no that's wrong|no that's not right|that's wrong
    that is wrong|that's not right|that is not right|that's not correct|that isn't right|wrong|incorrect
    not really|not quite|negative|no way|i don't|no i don't|definitely not|of course not|uh uh|no no|no no no"""
)
_ALONE = phrases("just me|only me|myself|just myself|me alone|by myself")
_PEOPLE = {"people": ("person", "persons", "guest", "guests"), "guests": ("guest", "people", "person")}
_LIKELY_YES = str.split("yes|yeah|yep|yup|yes please|sure|okay|correct|right|that's right|that's correct|exactly", "|")
_LIKELY_NO = str.split("no|nope|no thanks|no thank you|not really|wrong|that's wrong|that's not right", "|")


class YesNo(Kind, frozen=True):
    """Yes or no: "yes", "no". Keys: 1 is yes, 2 is no."""

    answers: ClassVar[Answers] = Answers.YES_NO

    @property
    def keys(self) -> int | None:
        return 1

    def read(self, words: Phrase, asked: bool) -> str | None:
        if not asked:
            return None
        return "yes" if words in YES else "no" if words in NO else None

    def from_digits(self, keys: str) -> str | None:
        return {"1": "yes", "2": "no"}.get(keys)

    def grammar(self) -> str:
        return alternatives([*_LIKELY_YES, *_LIKELY_NO])

    def keywords(self) -> tuple[str, ...]:
        return ("yes", "no")

    def hint(self) -> str:
        return "Please say yes or no, or press one for yes, two for no."


class OneOf(Kind, frozen=True):
    """One of a few choices; `synonyms` names other ways to say a choice. Keys: a choice's number, from 1."""

    choices: tuple[str, ...]
    synonyms: dict[str, tuple[str, ...]] = {}

    answers: ClassVar[Answers] = Answers.CHOICE
    most_words: ClassVar[int] = 20

    def __post_init__(self) -> None:
        forms = [form for choice in self.choices for form in self._forms(choice)]
        if not forms or not all(forms):
            raise ConfigurationError("OneOf needs choices, and each needs words that can be said")
        if len(set(forms)) < len(forms):
            raise ConfigurationError(f"OneOf has two choices that sound the same: {', '.join(self.choices)}")
        for choice in self.synonyms:
            if choice not in self.choices:
                raise ConfigurationError(f"OneOf has synonyms for {choice!r}, which is not among its choices")

    @property
    def keys(self) -> int | None:
        return 1 if len(self.choices) < 10 else None

    def read(self, words: Phrase, asked: bool) -> str | None:
        said = spoken(" ".join(words))
        return next((choice for choice in self.choices if said in self._forms(choice)), None)

    def from_digits(self, keys: str) -> str | None:
        index = int(keys) if keys.isdecimal() and len(keys) < 4 else 0
        return self.choices[index - 1] if 1 <= index <= len(self.choices) else None

    def grammar(self) -> str:
        return alternatives(form for choice in self.choices for form in self._forms(choice))

    def keywords(self) -> tuple[str, ...]:
        return self.choices

    def hint(self) -> str:
        listed = ", ".join(f"{numbers.spell(n)} for {choice}" for n, choice in enumerate(self.choices, 1))
        return f"You can also press {listed}."

    def _forms(self, choice: str) -> list[str]:
        return [spoken(form) for form in (choice, *self.synonyms.get(choice, ()))]


class Digits(Kind, frozen=True):
    """Dictated digits: "415". `count` of them, or any number. Keys: as they are; `terminator` ends an open number."""

    count: int | None = None
    terminator: str = "#"

    answers: ClassVar[Answers] = Answers.DIGITS
    most_words: ClassVar[int] = 40

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ConfigurationError("Digits needs a count of at least 1, or None for any number of digits")

    @property
    def keys(self) -> int | None:
        return self.count

    def read(self, words: Phrase, asked: bool) -> str | None:
        return self.from_digits(numbers.digits(words) or "") if asked else None

    def from_digits(self, keys: str) -> str | None:
        fits = len(keys) == self.count if self.count else keys != ""
        return keys if fits and keys.isascii() and keys.isdecimal() else None

    def read_back(self, value: str) -> str:
        return numbers.spell_digits(value)

    def expectation(self) -> Expectation:
        return Expectation(self.answers, self.grammar(), self.keywords(), self.keys, self.terminator)

    def grammar(self) -> str:
        return DIGIT_STRING

    def hint(self) -> str:
        if self.count:
            return f"You can also enter the {numbers.spell(self.count)} digits on your keypad."
        end = {"#": "the pound key", "*": "the star key"}.get(self.terminator, self.terminator)
        return f"You can also enter the digits on your keypad and end with {end}."


class Quantity(Kind, frozen=True):
    """How many, from `low` to `high`: "2". Keys: the number."""

    low: int
    high: int
    unit: str = "people"

    answers: ClassVar[Answers] = Answers.QUANTITY

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= numbers.LARGEST:
            raise ConfigurationError(f"Quantity needs 0 <= low <= high, got {self.low} and {self.high}")

    @property
    def keys(self) -> int | None:
        return 1 if self.high < 10 else None

    def read(self, words: Phrase, asked: bool) -> str | None:
        units = [tuple(unit.split()) for unit in self._units()]
        named = next((words[: -len(unit)] for unit in units if unit and words[-len(unit) :] == unit), None)
        if self.unit in _PEOPLE:
            if words in _ALONE:
                return self.from_digits("1")
            if words[-2:] == ("of", "us"):
                named = words[1:-2] if words[0] == "the" else words[:-2]
        if named is None and not asked:
            return None
        count = _count(named if named is not None else words)
        return self.from_digits(str(count)) if count is not None else None

    def from_digits(self, keys: str) -> str | None:
        count = int(keys) if keys.isdecimal() and len(keys) <= 6 else -1
        return str(count) if self.low <= count <= self.high else None

    def read_back(self, value: str) -> str:
        return f"{numbers.spell(int(value))} {self._units()[1] if value == '1' else self.unit}".strip()

    def grammar(self) -> str:
        unit = maybe(*(unit for unit in self._units()[:2] if unit)) if self.unit else ""
        alone = "just me" if self.unit in _PEOPLE and self.low <= 1 <= self.high else ""
        return alternatives([f"[for] {number_words(self.low, self.high)} {unit} [please]", alone])

    def keywords(self) -> tuple[str, ...]:
        return (self.unit,) if self.unit else ()

    def hint(self) -> str:
        low, high = numbers.spell(self.low), numbers.spell(self.high)
        return f"Please say a number from {low} to {high}, or enter it on your keypad."

    def _units(self) -> tuple[str, ...]:
        unit = spoken(self.unit)
        return (unit, *_PEOPLE.get(self.unit, (unit.removesuffix("s"),)))


class Anything(Kind, frozen=True):
    """Free words, taken as they were transcribed. There is no way to key them."""

    answers: ClassVar[Answers] = Answers.ANYTHING

    @property
    def keys(self) -> int | None:
        return None

    def parse(self, text: str) -> str | None:
        return " ".join(text.split()) if kind(text) is not Meaning.NOTHING else None

    def read(self, words: Phrase, asked: bool) -> str | None:
        return None

    def from_digits(self, keys: str) -> str | None:
        return None

    def grammar(self) -> str:
        return ""

    def hint(self) -> str:
        return ""


def _count(words: Phrase) -> int | None:
    dozens = {("a", "couple"): 2, ("a", "couple", "of"): 2, ("a", "dozen"): 12, ("a",): 1, ("an",): 1}
    return dozens.get(words, numbers.number(words))


Answer = YesNo | OneOf | Digits | Quantity | Day | TimeOfDay | HowLong | Anything
"""Every kind of answer."""

__all__ = [
    "Answer",
    "Anything",
    "Day",
    "Digits",
    "HowLong",
    "OneOf",
    "Quantity",
    "TimeOfDay",
    "YesNo",
]
