"""What must not be written down: digits and whatever else the owner names."""

import re

from offhook.errors import ConfigurationError
from offhook.values import Value

HIDDEN = "[digits]"
LONGEST = 3
"""Digits in a row that say nothing about anybody: a price, an hour."""

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred oh o nought double triple treble"
)
_DIGIT = rf"(?:\d|(?<![^\W\d_])(?:{'|'.join(_WORDS.split())})(?![^\W\d_]))"
_BETWEEN = r"""[\s.,;/()+*#'"_\-\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff]*+"""
_RUN = re.compile(rf"{_DIGIT}(?:{_BETWEEN}{_DIGIT}){{{LONGEST},}}+", re.IGNORECASE)
"""Both halves of what repeats are of different letters, so nothing is ever tried twice: it takes a time in proportion
to the text."""


class Redaction(Value, frozen=True):
    """Hides what is found in logs and transcripts. What the model is told and what is recorded stays as it is.

    `digits`: four or more in a row, also with spaces or dashes between them or as English words ("four two double
    one"), become "[digits]". What matches one of `patterns` (regular expressions, upper and lower case alike) becomes
    its name in brackets. Patterns come first, in their order. Raises ConfigurationError for one that is none.
    """

    digits: bool = True
    patterns: dict[str, str] = {}

    def __post_init__(self) -> None:
        for name, pattern in self.patterns.items():
            try:
                matches_nothing = re.compile(pattern, re.IGNORECASE).fullmatch("")
            except re.error as error:
                raise ConfigurationError(f"the pattern {name!r} of what to hide is none: {error}") from None
            if matches_nothing:
                raise ConfigurationError(f"the pattern {name!r} of what to hide is found everywhere: it fits nothing")

    def hide(self, text: str) -> str:
        """The text as it may be written down."""
        for name, pattern in self.patterns.items():
            text = re.sub(pattern, lambda _, shown=f"[{name}]": shown, text, flags=re.IGNORECASE)  # type: ignore[misc]
        return _RUN.sub(HIDDEN, text) if self.digits else text
