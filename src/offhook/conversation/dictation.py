"""Whether somebody dictates: a row of digits or spelled letters, of which nobody can tell the last."""

from collections.abc import Sequence

from offhook.conversation.word_classes import DIGITS
from offhook.conversation.words import normalise

_ONE_BY_ONE = 3
"""So many digits or letters in a row, said one by one, are no count and no initials."""
_TOGETHER = 5
"""So many, where some were written together: fewer are a year, a price, a room or a time of day."""


def dictating(text: str) -> bool:
    """Whether the words end in such a row, and in no time of day. The very last word may have been cut short, and
    misheard.
    """
    words = normalise(text).split()
    if words[-2:] in (["a", "m"], ["p", "m"]) or ":" in text:
        return False
    return _is_row(words) or _is_row(words[:-1], more=1)


def _is_row(words: Sequence[str], more: int = 0) -> bool:
    """Whether the last words are one, of `more` than would do."""
    row, wanted = 0, _ONE_BY_ONE
    for word in reversed(words):
        if word.isdecimal():
            row += len(word)
            wanted = _TOGETHER if len(word) > 1 else wanted
        elif word in DIGITS or (len(word) == 1 and word.isalpha()):
            row += 1
        else:
            break
    return row >= wanted + more
