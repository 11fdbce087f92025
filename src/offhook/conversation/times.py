"""An answer that is a time of day."""

import re
from typing import ClassVar

from offhook.conversation.expectation import Answers
from offhook.conversation.grammar import alternatives, either, maybe
from offhook.conversation.kinds import Kind
from offhook.conversation.numbers import UNITS, number, spell, spell_digits
from offhook.conversation.spotting import Phrase
from offhook.errors import ConfigurationError

_PARTS = {"morning": 0, "afternoon": 12, "evening": 12}


class TimeOfDay(Kind, frozen=True):
    """A time: "14:30". One said without a.m. or p.m. is the first from `earliest` o'clock on, so that "half past two"
    at an office is in the afternoon. Keys: four digits, 24 hours."""

    earliest: int = 7

    answers: ClassVar[Answers] = Answers.TIME

    def __post_init__(self) -> None:
        if not 0 <= self.earliest < 24:
            raise ConfigurationError(f"TimeOfDay needs an hour from 0 to 23 as earliest, got {self.earliest}")

    @property
    def keys(self) -> int | None:
        return 4

    def read(self, words: Phrase, asked: bool) -> str | None:
        if words in (("noon",), ("midday",), ("twelve", "noon"), ("12", "noon")):
            return "12:00"
        if words in (("midnight",), ("twelve", "midnight"), ("12", "midnight")):
            return "00:00"
        clock, half, certain = _half_of_day(words)
        if clock[:1] == ("at",):
            clock, certain = clock[1:], True
        if clock[-1:] == ("o'clock",):
            clock, certain = clock[:-1], True
            if len(clock) > 1:
                return None
        found = _clock(clock)
        if found is None or not (asked or certain or len(clock) > 1 or (len(clock[0]) > 2 and clock[0].isdecimal())):
            return None
        return self._in_the_day(*found, half, clock)

    def _in_the_day(self, hour: int, minute: int, half: int | None, clock: Phrase) -> str | None:
        """Settle on morning or afternoon. Hours of the 24-hour clock, also "02" and "zero", are what they are."""
        if hour == 0 or hour > 12 or (clock[0].startswith("0") and half is None):
            return f"{hour:02}:{minute:02}" if half in (None, hour // 12 * 12) else None
        hour %= 12
        if half is None:
            half = 0 if hour >= self.earliest % 12 else 12
            half = half if self.earliest < 12 else 12 - half
        return f"{hour + half:02}:{minute:02}"

    def from_digits(self, keys: str) -> str | None:
        if not (keys.isdecimal() and len(keys) == 4):
            return None
        hour, minute = int(keys[:2]), int(keys[2:])
        return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None

    def read_back(self, value: str) -> str:
        if value in ("00:00", "12:00"):
            return "noon" if value == "12:00" else "midnight"
        hour, minute = int(value[:2]), int(value[3:])
        minutes = "" if minute == 0 else f" oh {UNITS[minute]}" if minute < 10 else f" {spell(minute)}"
        return f"{spell((hour - 1) % 12 + 1)}{minutes} {'a' if hour < 12 else 'p'} m"

    def grammar(self) -> str:
        hours = either(*UNITS[1:13])
        minutes = either("oh five", *(spell(minute) for minute in range(10, 60, 5)))
        past = f"{either('half past', 'quarter past', 'quarter to', 'ten past', 'ten to', 'twenty past')} {hours}"
        part = maybe("a m", "p m", "in the morning", "in the afternoon", "in the evening")
        return alternatives([f"[at] {either(f'{hours} {minutes}', hours, past)} {part}", f"[at] {hours} o'clock {part}",
                             "[at] noon", "midnight"])  # fmt: skip

    def keywords(self) -> tuple[str, ...]:
        return ("a.m.", "p.m.", "noon", "o'clock", "half past")

    def hint(self) -> str:
        example = spell_digits("1430")
        return f"You can also enter the time as four digits, for example {example} for half past two in the afternoon."


def _half_of_day(words: Phrase) -> tuple[Phrase, int | None, bool]:
    """The words without their "p m" or "in the evening", the hours which that adds, and whether there was any."""
    if words[-1:] in (("am",), ("pm",)):
        return words[:-1], 12 if words[-1] == "pm" else 0, True
    if len(words) > 3 and words[-3:-1] == ("in", "the") and words[-1] in _PARTS:
        return words[:-3], _PARTS[words[-1]], True
    return words, None, False


def _clock(words: Phrase) -> tuple[int, int] | None:
    """Hour and minute of a clock time without its half of the day."""
    for side in ("past", "after", "to"):
        if side in words:
            at = words.index(side)
            minutes = {"half": 30, "quarter": 15, "a quarter": 15}.get(" ".join(words[:at]))
            minutes = minutes or number([word for word in words[:at] if word != "minutes"])
            hour = number(words[at + 1 :])
            if minutes is None or hour is None or not 0 < minutes < 60 or not 0 < hour < 24:
                return None
            return (hour, minutes) if side != "to" else ((hour - 2) % 12 + 1 if hour < 13 else hour - 1, 60 - minutes)
    if len(words) == 1 and re.fullmatch(r"[0-9]{3,4}", words[0]):
        return _valid(int(words[0][:-2]), int(words[0][-2:]))
    for split in (1, 2):
        hour, minute = number(words[:split]), _minute(words[split:])
        if hour is not None and minute is not None:
            return _valid(hour, minute)
    return None


def _minute(words: Phrase) -> int | None:
    """The minutes after an hour: none, "oh five", "05", or from ten on."""
    if not words or words in (("hundred",), ("hundred", "hours")):
        return 0
    if words[0] in ("oh", "o", "zero") and len(words) == 2:
        single = number(words[1:])
        return single if single is not None and single < 10 else None
    minute = number(words)
    return minute if minute is not None and (minute > 9 or words[0].startswith("0")) else None


def _valid(hour: int, minute: int) -> tuple[int, int] | None:
    return (hour, minute) if hour < 24 and minute < 60 else None
