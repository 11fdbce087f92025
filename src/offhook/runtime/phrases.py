"""Phrases that are spoken before anybody calls: they start at once, and are there when the voice is not.

The package carries two in English, the apology and the last goodbye, for a voice that does not work at all.
`scripts/record_phrases.py` made them.
"""

import logging
from collections.abc import Iterable
from importlib.resources import files

import msgspec

from offhook.agent import Agent
from offhook.conversation.sentences import SentenceCutter
from offhook.conversation.speakable import speakable
from offhook.errors import OffhookError
from offhook.providers.interfaces import Voice
from offhook.runtime.performer import spoken

logger = logging.getLogger("offhook.runtime")

_FILE = "phrases.msgpack"


def packaged() -> dict[str, bytes]:
    """The phrases that the package carries: text to mu-law at 8 kHz."""
    return msgspec.msgpack.decode((files("offhook.runtime") / "data" / _FILE).read_bytes(), type=dict[str, bytes])


async def recorded(agent: Agent, voices: Iterable[Voice]) -> dict[str, bytes]:
    """What an agent is sure to say some day, spoken now by its first voice that works, and what the package carries."""
    texts = [agent.greeting, *(getattr(agent.phrases, name) for name in agent.phrases.__struct_fields__)]
    if agent.flow is not None:
        texts.append(agent.flow.begin().say)
    wanted = [piece for text in texts for piece in pieces_of(text)]
    for voice in voices:
        try:
            return packaged() | await record(wanted, voice)
        except OffhookError as error:
            logger.warning("No phrase could be spoken ahead: %s", error)
    return packaged()


async def record(pieces: Iterable[str], voice: Voice) -> dict[str, bytes]:
    """Each piece in a voice. Raises what the voice raises."""
    return {piece: b"".join([audio async for audio in spoken(voice, piece)]) for piece in pieces}


def pieces_of(text: str) -> list[str]:
    """A text cut and spelled as a reply's text is: these are the pieces that will be looked up."""
    cutter = SentenceCutter()
    return [piece for each in (*cutter.feed(text), *cutter.finish()) if (piece := speakable(each))]
