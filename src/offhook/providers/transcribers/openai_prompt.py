"""What a transcription model is told to expect, and how to see that it only repeats that."""

from offhook.conversation.expectation import Expectation
from offhook.conversation.words import normalise
from offhook.providers.interfaces import Utterance
from offhook.timebase import RATE

SHORT = RATE
"""Samples: under a second of audio a prompt is more likely to be repeated than to help."""
_MANY = 3
"""Nobody says this many of the expected words, and nothing else, in the order in which they are listed."""


def hint(utterance: Utterance) -> str:
    """The prompt: "" for short audio, and where no words are expected."""
    return "" if len(utterance.mulaw) < SHORT else prompt_for(utterance.expectation)


def prompt_for(expectation: Expectation) -> str:
    """The prompt for audio of which nobody knows yet how long it will be."""
    return f"The caller may say: {', '.join(expectation.keywords)}." if expectation.keywords else ""


def is_echo(text: str, keywords: tuple[str, ...], prompt: str) -> bool:
    """Whether a transcript is the prompt, made of `keywords`, and not the caller."""
    if not prompt:
        return False
    said = normalise(text)
    return said == normalise(prompt) or (len(keywords) >= _MANY and said == normalise(" ".join(keywords)))
