"""Finding answers in an utterance: every word must belong to an answer or to a phrase that may stand around one.

That is the whole defence against taking an unrelated sentence for an answer: "it's for two people, please" is two
people inside carrier phrases, "drop the two when you add the figures" is not.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Protocol

from offhook.conversation.words import longest, normalise, phrases

MOST_WORDS = 40
"""A longer utterance is a story, not an answer."""

CARRIERS = phrases(
    """um|uh|uhm|er|erm|hm|hmm|well|so|then|okay|ok|alright|all right|sure|yes|yeah|yep|please|thanks|thank you|hi|hello
    it's|it is|it'll be|it will be|it would be|it should be|that's|that is|that'll be|that will be|that would be
    make it|make that|let's say|let us say|let's do|let's take|say|i say|i said|i mean|i meant|i think|i guess|i believe
    i'd like|i would like|i'd prefer|i'll take|i'll have|i want|i need|i'd say|i'm in|i am in|my answer is|we|we want
    we need|we'd like|we would like|we're|we are|we'll be|we will be|there are|there's|there is|there will be
    there'll be|can i have|could i have|can we have|could we have|can i get|could we get|can you make it|can we do
    could we do|how about|what about|preferably|maybe|probably|perhaps|actually|about|around|roughly|approximately
    exactly|only|just|in|for|on|at|from|with|and|the|a|an|if possible|if you can|is fine|is good|is okay|is great
    works|works for me
    would be fine|would be good|would be great|would be nice|would be perfect|would work|will do|will be fine
    should be enough|should do|is enough|sir|ma'am"""
)
_HALF_OF_DAY = re.compile(r"\b([ap]) m\b")
_NUMERAL_AND_UNIT = re.compile(r"\b(\d+)(?!(?:st|nd|rd|th)\b)([a-z]+)\b")
Phrase = tuple[str, ...]


class Reader(Protocol):
    """A kind of answer, as seen from here: see `offhook.conversation.kinds.Kind`."""

    @property
    def most_words(self) -> int: ...

    def read(self, words: Phrase, asked: bool) -> str | None: ...


def words_of(text: str) -> Phrase:
    """The words of a transcript, however its recogniser writes them: "2:30 P.M." and "2 30pm" are 2, 30, pm."""
    split = _NUMERAL_AND_UNIT.sub(r"\1 \2", normalise(text))
    return tuple(_HALF_OF_DAY.sub(r"\1m", split).split())


def spot(
    words: Phrase, readers: Mapping[str, Reader], asked: str = "", carriers: Iterable[Phrase] = ()
) -> dict[str, str] | None:
    """The answers that an utterance gives, by the names of `readers`; None where a word is left over.

    From the left, the longest stretch that answers something is taken, the asked question first among equals; where
    none begins, the longest carrier phrase. Each question is answered once, so "five five" is not five people.
    """
    around = CARRIERS.union(carriers)
    order = sorted(readers, key=lambda name: name != asked)
    found: dict[str, str] = {}
    at = 0
    if len(words) > MOST_WORDS:
        return None
    most = max(reader.most_words for reader in readers.values())
    while at < len(words):
        for end in range(min(len(words), at + most), at, -1):
            answer = _first(words[at:end], [name for name in order if name not in found], readers, asked)
            if answer:
                found[answer[0]] = answer[1]
                at = end
                break
        else:
            covered = longest(words, at, around)
            if not covered:
                return None
            at += covered
    return found


def _first(words: Phrase, names: list[str], readers: Mapping[str, Reader], asked: str) -> tuple[str, str] | None:
    for name in names:
        if len(words) > readers[name].most_words:
            continue
        value = readers[name].read(words, name == asked)
        if value is not None:
            return name, value
    return None
