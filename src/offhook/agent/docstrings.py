"""Reads a docstring: what a function does, and what its parameters mean."""

import re
from textwrap import dedent

_SECTION = re.compile(r"^(Args|Arguments|Parameters|Returns?|Raises|Yields|Examples?|Notes?):\s*$", re.M)
_GOOGLE = re.compile(r"^(\w+)(?: *\([^)\n]*\))?:[ \t]*(.*(?:\n[ \t]+.*|\n(?=\n*[ \t]))*)", re.M)
_SPHINX = re.compile(r"^:param (?:[^:\n]* )?(\w+):[ \t]*(.*(?:\n[ \t]+.*)*)", re.M)
_FIELD = re.compile(r"^:(?:param|type|returns?|rtype|raises)\b", re.M)


def described(doc: str) -> tuple[str, dict[str, str]]:
    """The text before any section, and each parameter's description, in Google's style (`Args:`) or Sphinx'
    (`:param x:`). `doc` has no common indent.
    """
    sections = _SECTION.split(doc)
    parameters = {name: _joined(words) for name, words in _SPHINX.findall(doc)}
    for title, body in zip(sections[1::2], sections[2::2], strict=True):
        if title in ("Args", "Arguments", "Parameters"):
            parameters |= {name: _joined(words) for name, words in _GOOGLE.findall(dedent(body.strip("\n")))}
    return _FIELD.split(sections[0])[0].strip(), parameters


def _joined(words: str) -> str:
    return " ".join(words.split())
