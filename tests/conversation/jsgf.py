"""Sentences that a JSGF rule's body accepts, drawn at random: enough of the notation for our own grammars."""

import re
from random import Random


def sentence(body: str, random: Random) -> str:
    """One sentence of the body of a rule."""
    tokens = re.findall(r"[()\[\]|+]|[^\s()\[\]|+]+", body)
    words, rest = _alternatives(tokens, random)
    assert rest == [], f"unbalanced: {body}"
    return " ".join(words)


def words(body: str) -> set[str]:
    """Every word of the body of a rule."""
    return set(re.findall(r"[^\s()\[\]|+]+", body))


def _alternatives(tokens: list[str], random: Random) -> tuple[list[str], list[str]]:
    found = []
    while True:
        words, tokens = _sequence(tokens, random)
        found.append(words)
        if not tokens or tokens[0] != "|":
            return random.choice(found), tokens
        tokens = tokens[1:]


def _sequence(tokens: list[str], random: Random) -> tuple[list[str], list[str]]:
    found: list[str] = []
    while tokens and tokens[0] not in ("|", ")", "]"):
        opening, inside = tokens[0], tokens[1:]
        words, tokens = ([opening], inside) if opening not in ("(", "[") else _alternatives(inside, random)
        if opening in ("(", "["):
            assert tokens[0] == {"(": ")", "[": "]"}[opening]
            tokens = tokens[1:]
        if opening == "[" and random.random() < 0.5:
            words = []
        if tokens and tokens[0] == "+":
            words, tokens = words * random.randint(1, 4), tokens[1:]
        found += words
    return found, tokens
