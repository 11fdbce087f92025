"""What the local server answers, and how fast."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from offhook.simulator.openai_server.faults import Fault

MODELS = (
    *("gpt-4o-transcribe", "gpt-4o-mini-transcribe", "gpt-transcribe", "whisper-1"),
    *("gpt-4o", "gpt-4o-mini", "gpt-4.1-mini"),
    *("gpt-4o-mini-tts", "tts-1", "tts-1-hd"),
    *("gpt-realtime", "gpt-realtime-mini"),
)


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool; `arguments` is the JSON text that the model writes."""

    name: str
    arguments: str = "{}"


@dataclass(frozen=True, slots=True)
class Turn:
    """A reply: text, calls of tools, or both. `cached` of the prompt's tokens are said to have been charged less."""

    text: str = ""
    tools: tuple[ToolUse, ...] = ()
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds to the first piece and between later ones. A share `often` of requests takes `tail` seconds longer."""

    first: float = 0.0
    then: float = 0.0
    tail: float = 0.0
    often: float = 0.0

    def delay(self, random: Random) -> float:
        return self.first + (self.tail if random.random() < self.often else 0.0)


Hearing: TypeAlias = Callable[[int, NDArray[np.int16]], str]
"""From a rate and samples to the words in them."""
Messages: TypeAlias = list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Script:
    """Everything has a default, so that `Script()` is a server that hears nothing and says hello at once.

    `transcripts` are given to the n-th request, or by what is heard. `replies` are chosen by the number of the
    caller's messages and of the results of tools, so that asking twice about one turn gives one answer, or by the
    messages; the last serves all further turns.
    """

    transcripts: Sequence[str] | Hearing = ()
    replies: Sequence[str | Turn] | Callable[[Messages], str | Turn] = ("Hello.",)
    transcription: Pace = Pace()
    reply: Pace = Pace()
    """`then` is the time of one token: one word."""
    speech: Pace = Pace()
    word_seconds: float = 0.3
    """How long each word of the voice's hum is."""
    realtime_voice: bool = False
    """Whether speech comes in pieces of 20 ms as it would be spoken, rather than at once in pieces of odd length."""
    scrambled: bool = False
    """Whether transcripts of a realtime session are completed in reverse order, two by two."""
    expiry: float = 3_600.0
    """Seconds until a realtime session is closed."""
    key: str = ""
    """The only key that is taken; "" takes any."""
    models: Sequence[str] | None = MODELS
    """What there is; None: no list of models, as in some compatible servers, and any name goes."""
    faults: Sequence[Fault] = ()
    seed: int = 0

    def heard(self, number: int, rate: int, samples: NDArray[np.int16]) -> str:
        """The transcript of the n-th piece of audio, counted from 1."""
        if callable(self.transcripts):
            return self.transcripts(rate, samples)
        return self.transcripts[number - 1] if number <= len(self.transcripts) else ""

    def answer(self, messages: Messages) -> Turn:
        """The reply to a conversation."""
        if callable(self.replies):
            reply = self.replies(messages)
        else:
            turn = sum(_moves_on(message) for message in messages)
            reply = self.replies[min(max(turn, 1), len(self.replies)) - 1]
        return Turn(reply) if isinstance(reply, str) else reply


def _moves_on(message: Mapping[str, Any]) -> bool:
    """Whether a message asks for the next reply: the caller's words, or a round of calls that was answered."""
    return message.get("role") == "user" or bool(message.get("tool_calls")) or message.get("type") == "function_call"
