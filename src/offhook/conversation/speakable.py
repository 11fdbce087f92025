"""What a voice should say of a text that was written for the eye: no markup, no emoji, no addresses in full."""

import html
import re
import unicodedata

_KEPT_SYMBOLS = frozenset("°©®™№")
_JOINERS = frozenset("\u200d\u20e3\ufe0e\ufe0f")
_LINE_RULES = (
    (re.compile(r"^(?:[ \t]*(?:#{1,6}|>+|[-*+•‣◦▪])[ \t]+)+", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$", re.MULTILINE), ""),
    (re.compile(r"^(?=[^\n]*--)[ \t:|-]+$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*\|[ \t]*|[ \t]*\|[ \t]*$", re.MULTILINE), ""),
)
"""Headings, quotes, bullets; rules; table rulings; table edges."""
_INLINE_RULES = (
    (re.compile(r"(`{3,}|~{3,}).*?(?:\1|\Z)", re.DOTALL), " "),
    (re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s[^()]*)?\)"), r"\1"),
    (
        re.compile(r"<?\b(?:https?|ftp)://(?:www\.)?([^\s/<>?#]*[^\s/<>?#.,;:!])(?:[/?#][^\s<>]*[^\s<>.,;:!?)])?/?>?"),
        r"\1",
    ),
    (re.compile(r"<mailto:([^<>\s]+)>"), r"\1"),
    (re.compile(r"</?[a-zA-Z][^<>]*>"), " "),
    (re.compile(r"`+"), ""),
    (re.compile(r"\*{2,}|~{2,}|(?<![\s\d])\*|\*(?![\s\d])"), ""),
    (re.compile(r"(?<!\w)_+|_+(?!\w)"), ""),
    (re.compile(r"[ \t]+\|[ \t]+"), ", "),
)
"""Code blocks; images and links; addresses, of which the host is left; tags; code; emphasis; table columns."""
_LINE_END = re.compile(r"([\w)\]\"'”’%°])[ \t]*\n\s*")
_SPACES = re.compile(r"\s+")


def speakable(text: str) -> str:
    """The text as it should be spoken, in one line; "" where there is nothing to say. Applying it again changes
    nothing."""
    while (plain := _plainer(text)) != text:
        text = plain
    return text


def _plainer(text: str) -> str:
    """One pass. What it uncovers ("&lt;b&gt;") may be markup again."""
    text = html.unescape(text)
    for pattern, replacement in (*_INLINE_RULES[:1], *_LINE_RULES, *_INLINE_RULES[1:]):
        text = pattern.sub(replacement, text)
    text = "".join(_spoken_character(character) for character in text)
    text = _LINE_END.sub(r"\1. ", text.strip())
    return _SPACES.sub(" ", text).strip()


def _spoken_character(character: str) -> str:
    category = unicodedata.category(character)
    if character in _JOINERS or category == "Cs" or (category == "So" and character not in _KEPT_SYMBOLS):
        return ""
    if "\U0001f3fb" <= character <= "\U0001f3ff":
        return ""
    return " " if category == "Cc" and character not in "\n\t" else character
