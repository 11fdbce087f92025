"""An answer that is a duration."""

import re
from typing import ClassVar

from offhook.conversation.expectation import Answers
from offhook.conversation.grammar import alternatives, either
from offhook.conversation.kinds import Kind
from offhook.conversation.numbers import UNITS, number, spell
from offhook.conversation.spotting import Phrase
from offhook.errors import ConfigurationError

_FRACTIONS = {"half": 30, "a half": 30, "quarter": 15, "a quarter": 15, "three quarters": 45, "3 quarters": 45}


class HowLong(Kind, frozen=True):
    """A duration in whole minutes: "90". A bare "thirty" is minutes, a bare "two" could be hours and is not understood.
    Keys: the minutes."""

    shortest: int = 1
    longest: int = 24 * 60

    answers: ClassVar[Answers] = Answers.DURATION

    def __post_init__(self) -> None:
        if not 1 <= self.shortest <= self.longest:
            raise ConfigurationError(f"HowLong needs 1 <= shortest <= longest, got {self.shortest} and {self.longest}")

    @property
    def keys(self) -> int | None:
        return None

    def read(self, words: Phrase, asked: bool) -> str | None:
        minutes = _minutes(words)
        if minutes is None and asked:
            bare = number(words)
            minutes = bare if bare is not None and bare >= 10 else None
        return self.from_digits(str(minutes)) if minutes is not None else None

    def from_digits(self, keys: str) -> str | None:
        minutes = int(keys) if keys.isdecimal() and len(keys) <= 4 else 0
        return str(minutes) if self.shortest <= minutes <= self.longest else None

    def read_back(self, value: str) -> str:
        hours, minutes = divmod(int(value), 60)
        if minutes == 30:
            return f"{spell(hours)} and a half hours" if hours else "half an hour"
        parts = [_plural(hours, "hour")] if hours else []
        return " and ".join(parts + ([_plural(minutes, "minute")] if minutes else []))

    def grammar(self) -> str:
        minutes = either(*map(spell, (5, 10, 15, 20, 30, 40, 45)))
        hours, one = either(*UNITS[2:13]), either("an", "one")
        forms = [
            "half an hour",
            "a half hour",
            "three quarters of an hour",
            f"{minutes} minutes",
            f"{either('fifty', 'sixty', 'ninety')} minutes",
            f"{one} hour [and a half]",
            f"{one} hour and {minutes} minutes",
            f"{hours} hours",
            f"{either('one', *UNITS[2:13])} and a half hours",
        ]
        return alternatives([f"[for] {either(*forms)} [please]"])

    def keywords(self) -> tuple[str, ...]:
        return ("minutes", "hours", "half an hour")

    def hint(self) -> str:
        return "You can also enter the number of minutes on your keypad."


def _plural(count: int, unit: str) -> str:
    return f"{spell(count)} {unit}" if count == 1 else f"{spell(count)} {unit}s"


def _minutes(words: Phrase) -> int | None:
    """A duration in minutes: "half an hour", "ninety minutes", "two and a half hours", "1 hour 30 minutes"."""
    text = re.sub(r"\b(hr|hrs|h)\b", "hours", re.sub(r"\b(min|mins)\b", "minutes", " ".join(words)))
    text = re.sub(r"\bhour\b", "hours", re.sub(r"\bminute\b", "minutes", text))
    for fraction, minutes in _FRACTIONS.items():
        if text in (f"{fraction} an hours", f"{fraction} of an hours", f"{fraction} hours"):
            return minutes
    if text.endswith(" minutes") and "hours" not in text:
        return _number(text.removesuffix(" minutes"))
    before, hour, rest = text.partition(" hours")
    if not hour:
        return None
    whole, _, part = before.partition(" and ")
    extra = _FRACTIONS.get(part, 0)
    if not extra and (decimal := re.fullmatch(r"(\d+) (5|25|75)", before)):
        whole, extra = decimal[1], {"5": 30, "25": 15, "75": 45}[decimal[2]]
        part = ""
    hours = _number(whole)
    if hours is None or (part and not extra):
        return None
    left = rest.strip().removeprefix("and ")
    if left:
        added = _FRACTIONS.get(left, _number(left.removesuffix(" minutes")))
        if extra or added is None or added > 59:
            return None
        extra = added
    return 60 * hours + extra


def _number(text: str) -> int | None:
    return 1 if text in ("a", "an") else number(text.split())
