"""What a short utterance means for the floor: nothing, a nod, a plea to wait, a plea to stop, or real words.

The phrases are data, per language. An utterance has a meaning only when all of it is made of listed phrases; one
other word makes it `WORDS`.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

from offhook.values import Value

_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'"})


class Meaning(StrEnum):
    """What an utterance asks of whoever is speaking over it."""

    NOTHING = "nothing"
    """No words, or hesitation alone."""
    BACKCHANNEL = "backchannel"
    """A nod: go on, I am listening."""
    WAIT = "wait"
    STOP = "stop"
    WORDS = "words"


class Phrases(Value, frozen=True):
    """The phrases of one language, each a tuple of normalised words."""

    hesitation: frozenset[tuple[str, ...]]
    politeness: frozenset[tuple[str, ...]]
    backchannel: frozenset[tuple[str, ...]]
    wait: frozenset[tuple[str, ...]]
    stop: frozenset[tuple[str, ...]]


def normalise(text: str) -> str:
    """Lower case, words apart by single spaces, punctuation gone; apostrophes stay inside words ("o'clock")."""
    # Lower case last but one: it may take letters apart, and compatibility forms hide capitals.
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).lower())
    kept = "".join(character if _belongs_to_word(character) else " " for character in plain)
    return " ".join(word for word in (word.strip("'") for word in kept.split()) if word)


def _belongs_to_word(character: str) -> bool:
    """Letters, digits, apostrophes, and the marks that many scripts write as characters of their own."""
    return character.isalnum() or character == "'" or unicodedata.category(character).startswith("M")


def phrases(lines: str) -> frozenset[tuple[str, ...]]:
    """Phrases parted by `|` or line ends, as tuples of normalised words."""
    found = (tuple(normalise(phrase).split()) for phrase in re.split(r"[|\n]", lines))
    return frozenset(phrase for phrase in found if phrase)


@lru_cache(maxsize=64)
def _most(listed: frozenset[tuple[str, ...]]) -> int:
    """Words of the longest phrase."""
    return max(map(len, listed), default=0)


def longest(words: tuple[str, ...], start: int, listed: frozenset[tuple[str, ...]]) -> int:
    """How many words from `start` on the longest of the listed phrases covers; 0 for none."""
    most = min(_most(listed), len(words) - start)
    return next((count for count in range(most, 0, -1) if words[start : start + count] in listed), 0)


ENGLISH = Phrases(
    hesitation=phrases("um|uh|uhm|umm|er|err|erm|eh|em"),
    politeness=phrases("please|just|i said|sorry|can you|could you|will you|would you|for me"),
    backchannel=phrases(
        """uh huh|mm hmm|mm hm|mhm|mm|mmm|hm|hmm|aha|ah|oh|ooh|wow|huh|okay|ok|k|right|all right|alright|yeah|yes
        yep|yup|yah|ya|i see|sure|exactly|got it|i got it|gotcha|of course|good|great|fine|cool|nice|perfect
        really|indeed|true|absolutely|definitely|interesting|sounds good|makes sense|that makes sense|go on
        i understand|understood|oh my|that's right|that's good|that's great|very good|very nice|okay then
        no problem|fair enough"""
    ),
    wait=phrases(
        """hold on|hang on|wait|wait a second|wait a sec|wait a minute|wait a moment|hold on a second|hold on a minute
        hold on a moment|hang on a second|hang on a minute|one moment|one second|one sec|one minute|just a moment
        just a second|just a sec|just a minute|a moment|a second|a minute|give me a second|give me a moment
        give me a minute|give me a sec|let me think|let me see|let me check|bear with me|hold the line"""
    ),
    stop=phrases(
        """stop|stop it|stop that|stop talking|stop there|no wait|no no|no stop|wait no|no no no|be quiet|quiet|shut up
        enough|that's enough|cancel|cancel that|hush"""
    ),
)
GERMAN = Phrases(
    hesitation=phrases("äh|ähm|öhm|hm äh|em"),
    politeness=phrases("bitte|mal|kurz|doch|können sie|könnten sie|kannst du"),
    backchannel=phrases(
        """mhm|hm|mm|aha|ach|ach so|achso|oh|ah|ja|jaja|ja ja|jo|okay|ok|gut|sehr gut|genau|richtig|klar|alles klar
        verstehe|ich verstehe|verstanden|stimmt|prima|super|schön|in ordnung|natürlich|wirklich|echt"""
    ),
    wait=phrases(
        """moment|einen moment|ein moment|moment mal|warte|warten|warten sie|warte mal|augenblick|einen augenblick
        sekunde|eine sekunde|eine minute|einen moment noch"""
    ),
    stop=phrases("stopp|stop|halt|aufhören|hör auf|hören sie auf|nein nein|nein warte|nein warten sie|ruhe|abbrechen"),
)
SPANISH = Phrases(
    hesitation=phrases("eh|em|este|ehm"),
    politeness=phrases("por favor|perdón|puede|puedes"),
    backchannel=phrases(
        """ajá|mhm|mm|hm|ah|oh|sí|si|ya|vale|okay|ok|bien|muy bien|claro|claro que sí|exacto|entiendo|ya veo|de acuerdo
        perfecto|bueno|cierto|genial|correcto|está bien"""
    ),
    wait=phrases(
        """un momento|un segundo|un minuto|momento|espera|espere|espera un momento|espere un momento|un momentito
        aguarde|deme un momento|dame un momento"""
    ),
    stop=phrases("para|pare|basta|alto|detente|deténgase|no espera|no espere|no no|silencio|cancela|cancelar"),
)
FRENCH = Phrases(
    hesitation=phrases("euh|heu|hum|ben"),
    politeness=phrases("s'il vous plaît|s'il te plaît|pardon|pouvez-vous|peux-tu"),
    backchannel=phrases(
        """mhm|mm|hm|ah|oh|oui|ouais|okay|ok|d'accord|bien|très bien|bien sûr|exactement|je vois|je comprends|c'est ça
        voilà|parfait|super|entendu|ça marche|vraiment|ah bon"""
    ),
    wait=phrases(
        """un moment|un instant|une seconde|une minute|attendez|attends|attendez un instant|attends un peu
        un petit instant|patientez|ne quittez pas"""
    ),
    stop=phrases("stop|arrêtez|arrête|non attendez|non attends|non non|ça suffit|silence|annulez|annule"),
)
LANGUAGES: dict[str, Phrases] = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH}


def may_become_nod(text: str, language: str = "en") -> bool:
    """Whether a nod begins like this; the last word may be cut off. "I" is how "I see" begins."""
    listed, words, at = LANGUAGES.get(language[:2].lower(), ENGLISH), tuple(normalise(text).split()), 0
    nods = listed.backchannel | listed.hesitation
    while not any(" ".join(phrase).startswith(" ".join(words[at:])) for phrase in nods):
        if not (covered := longest(words, at, nods)):
            return False
        at += covered
    return True


def kind(text: str, language: str = "en") -> Meaning:
    """What an utterance means. `language` is an ISO 639-1 code or a tag that begins with one; unknown ones read as
    English."""
    listed = LANGUAGES.get(language[:2].lower(), ENGLISH)
    words = tuple(normalise(text).split())
    meanings: set[Meaning] = set()
    at = 0
    while at < len(words):
        covered, meaning = max(
            (longest(words, at, listed.stop), Meaning.STOP),
            (longest(words, at, listed.wait), Meaning.WAIT),
            (longest(words, at, listed.backchannel), Meaning.BACKCHANNEL),
            (longest(words, at, listed.hesitation), Meaning.NOTHING),
            (longest(words, at, listed.politeness), Meaning.WORDS),
            key=lambda found: found[0],
        )
        if not covered:
            return Meaning.WORDS
        meanings.add(meaning)
        at += covered
    for meaning in (Meaning.STOP, Meaning.WAIT, Meaning.BACKCHANNEL, Meaning.WORDS):
        if meaning in meanings:
            return meaning
    return Meaning.NOTHING
