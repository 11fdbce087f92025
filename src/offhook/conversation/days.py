"""An answer that is a day. It does not know what day it is: "today" stays "today"."""

from typing import ClassVar

from offhook.conversation.expectation import Answers
from offhook.conversation.grammar import alternatives, either
from offhook.conversation.kinds import Kind
from offhook.conversation.numbers import number, ordinal, spell_ordinal
from offhook.conversation.spotting import Phrase

WEEKDAYS = str.split("monday tuesday wednesday thursday friday saturday sunday")
MONTHS = str.split("january february march april may june july august september october november december")
_MONTH_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_RELATIVE = {
    "today": "today",
    "tonight": "today",
    "this": "today",
    "tomorrow": "tomorrow",
    "day after tomorrow": "day after tomorrow",
    "the day after tomorrow": "day after tomorrow",
}


class Day(Kind, frozen=True):
    """A day, as it was named: "today", "tomorrow", "day after tomorrow", "monday", "next monday", "03-14" (month, day)
    or "14" (of whatever month is meant).

    Keys: 1 is today, 2 is tomorrow, four digits are month and day.
    """

    answers: ClassVar[Answers] = Answers.DATE

    @property
    def keys(self) -> int | None:
        return None

    def read(self, words: Phrase, asked: bool) -> str | None:
        # An evening is left over on purpose: "tomorrow evening at seven" would lose what tells 19:00 from 07:00.
        named = words[:-1] if words[-1] in ("morning", "afternoon") else words
        text = " ".join(named)
        if text in _RELATIVE and words != ("this",):
            return _RELATIVE[text]
        weekday = named[1:] if named[:1] in (("this",), ("next",), ("coming",)) else named
        if len(weekday) == 1 and weekday[0] in WEEKDAYS:
            return f"next {weekday[0]}" if named[0] == "next" else weekday[0]
        return _date(words[1:] if words[0] in WEEKDAYS else words)

    def from_digits(self, keys: str) -> str | None:
        if keys in ("1", "2"):
            return "today" if keys == "1" else "tomorrow"
        return _month_day(int(keys[:2]), int(keys[2:])) if keys.isdecimal() and len(keys) == 4 else None

    def read_back(self, value: str) -> str:
        if value[0].isdecimal():
            month, _, day = value.rpartition("-")
            return (f"{MONTHS[int(month) - 1].capitalize()} " if month else "the ") + spell_ordinal(int(day))
        if value == "day after tomorrow":
            return "the day after tomorrow"
        return " ".join(word.capitalize() if word in WEEKDAYS else word for word in value.split())

    def grammar(self) -> str:
        ordinals = either(*(spell_ordinal(day) for day in range(1, 32)))
        months = either(*MONTHS)
        return alternatives(
            [
                "today",
                "tomorrow",
                "the day after tomorrow",
                f"[on] [this | next] {either(*WEEKDAYS)}",
                f"[on] the {ordinals} [of {months}]",
                f"[on] {months} [the] {ordinals}",
            ]
        )

    def keywords(self) -> tuple[str, ...]:
        return ("today", "tomorrow", *WEEKDAYS)

    def hint(self) -> str:
        return "You can also press one for today, two for tomorrow, or enter month and day as four digits."


def _month_day(month: int, day: int) -> str | None:
    return f"{month:02}-{day:02}" if 1 <= month <= 12 and 1 <= day <= _MONTH_LENGTHS[month - 1] else None


def _date(words: Phrase) -> str | None:
    """A date with its month ("march third", "the 3rd of march") or a bare ordinal ("the third")."""
    rest = words[1:] if words[:1] == ("the",) else words
    for at, month in ((0, rest[:1]), (len(rest) - 1, rest[-1:])):
        if month and month[0] in MONTHS:
            day = tuple(word for word in rest[:at] + rest[at + 1 :] if word not in ("the", "of"))
            of_month = ordinal(day) or number(day)
            return _month_day(MONTHS.index(month[0]) + 1, of_month) if of_month else None
    bare = ordinal(rest)
    return f"{bare:02}" if bare else None
