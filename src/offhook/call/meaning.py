"""What a transcript means for the floor."""

from offhook.call.minds import Mind
from offhook.conversation.words import Meaning, kind
from offhook.turns.events import Event


def meaning_of(text: str, language: str, *, over_us: bool, mind: Mind) -> Event:
    """The event that a transcript is. "Okay" is an answer while we listen, and a backchannel while we speak, unless
    we have just asked for it.
    """
    match kind(text, language):
        case Meaning.NOTHING:
            # "Um" alone is a caller who is about to speak.
            return Event.NOTHING_HEARD if over_us or not text else Event.WORDS_HEARD
        case Meaning.BACKCHANNEL:
            return Event.BACKCHANNEL_HEARD if over_us and not mind.answers(text) else Event.WORDS_HEARD
        case Meaning.WAIT:
            return Event.WAIT_ASKED
        case Meaning.STOP | Meaning.WORDS:
            return Event.WORDS_HEARD
