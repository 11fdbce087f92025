"""What a transcription model is told to expect, and how to see that it only repeats that."""

from offhook.conversation.words import normalise
from offhook.providers.interfaces import Utterance
from offhook.timebase import RATE

SHORT = RATE
"""Samples: under a second of audio a prompt is more likely to be repeated than to help."""
_MANY = 3
"""Nobody says this many of the expected words, and nothing else, in the order in which they are listed."""


def hint(utterance: Utterance) -> str:
    """The prompt: "" for short audio, and where no words are expected."""
    keywords = utterance.expectation.keywords
    if not keywords or len(utterance.mulaw) < SHORT:
        return ""
    return f"The caller may say: {', '.join(keywords)}."


def is_echo(text: str, utterance: Utterance, prompt: str) -> bool:
    """Whether a transcript is the prompt and not the caller."""
    if not prompt:
        return False
    keywords = utterance.expectation.keywords
    said = normalise(text)
    return said == normalise(prompt) or (len(keywords) >= _MANY and said == normalise(" ".join(keywords)))
