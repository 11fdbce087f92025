"""Pieces of JSGF, the grammar notation of small recognisers: https://www.w3.org/TR/jsgf/

An answer's grammar is the body of one rule: words, `|`, `( )`, `[ ]` and `+`. Every word is lower case and spelled as
in the CMU pronouncing dictionary, where "p m" is two words.
"""

from collections.abc import Iterable

from offhook.conversation.numbers import UNITS, spell, spell_digits
from offhook.conversation.words import normalise

MOST_NUMBERS = 100
"""More numbers than this are not listed one by one but composed."""


def either(*forms: str) -> str:
    """One of the forms."""
    return f"({' | '.join(forms)})"


def maybe(*forms: str) -> str:
    """One of the forms, or nothing."""
    return f"[{' | '.join(forms)}]"


def alternatives(forms: Iterable[str]) -> str:
    """The body of a rule: one of the forms, each once."""
    return " | ".join(dict.fromkeys(form for form in forms if form))


def spoken(text: str) -> str:
    """A phrase as a recogniser would have to hear it: normalised, with its numerals in words."""
    words = normalise(text).split()
    return " ".join(_spoken_word(word) if word.isdecimal() else word for word in words)


def _spoken_word(numeral: str) -> str:
    return spell(int(numeral)) if len(numeral) < 4 and not numeral.startswith("0") else spell_digits(numeral)


def numbers(low: int, high: int) -> str:
    """The numbers from `low` to `high` in words."""
    if high - low < MOST_NUMBERS:
        return either(*(spell(n) for n in range(low, high + 1)))
    below_hundred = numbers(1, 99)
    return either(below_hundred, f"{either('a', *UNITS[1:10])} {either('hundred', 'thousand')} [[and] {below_hundred}]")


DIGIT_STRING = f"([double | triple] {either('oh', *UNITS[:10])})+"
