"""Grammars for pocketsphinx: what it can read, and how words that its dictionary lacks are said."""

import re
from collections.abc import Callable

_ALLOWED = re.compile(r"[a-z' |()\[\]+*\n]*")
_WORD = re.compile(r"[a-z']+")

_SOUNDS = {
    "tion": "SH AH N", "sion": "ZH AH N", "igh": "AY", "tch": "CH", "sch": "SH", "dge": "JH", "ough": "AO",
    "th": "TH", "sh": "SH", "ch": "CH", "ph": "F", "wh": "W", "ck": "K", "ng": "NG", "qu": "K W", "kn": "N",
    "wr": "R", "ee": "IY", "ea": "IY", "ie": "IY", "oo": "UW", "ou": "AW", "ow": "OW", "oa": "OW", "ai": "EY",
    "ay": "EY", "ei": "EY", "ey": "IY", "au": "AO", "aw": "AO", "oi": "OY", "oy": "OY", "ue": "UW", "ew": "UW",
    "ar": "AA R", "er": "ER", "ir": "ER", "or": "AO R", "ur": "ER",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH",
    "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T",
    "u": "AH", "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_SPELLED = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))


class GrammarError(ValueError):
    """A grammar that cannot be listened for; its text says why, in one line."""


def readable(body: str) -> str:
    """The body of a rule in lower case. Raises `GrammarError` for anything but words, `| ( ) [ ] + *`."""
    body = body.lower()
    if not _ALLOWED.fullmatch(body):
        raise GrammarError(f"a grammar holds words and | ( ) [ ] + * only, not {_ALLOWED.sub('', body, count=1)[:1]!r}")
    if not _WORD.search(body):
        raise GrammarError("a grammar without words")
    return body


def words(body: str) -> set[str]:
    """Every word of a rule."""
    return set(_WORD.findall(body))


def pronounce(word: str) -> str:
    """A guess at how an unknown word is said, letter by letter: coarse, but better than not to listen for it."""
    spelling = word.replace("'", "")
    if len(spelling) > 3 and spelling.endswith("e"):
        spelling = spelling[:-1]
    spelling = re.sub(r"([^aeiou])\1", r"\1", spelling)
    return " ".join(_SOUNDS[part] for part in _SPELLED.findall(spelling)) or "AH"


def missing(body: str, known: Callable[[str], object]) -> dict[str, str]:
    """The words of a rule for which `known` finds nothing, with a guess at their sounds."""
    return {word: pronounce(word) for word in sorted(words(body)) if known(word) is None}
