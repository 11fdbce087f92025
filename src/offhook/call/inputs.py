"""Everything that can reach a call, besides what the carrier says and what its sound is like. Facts, in the past
tense."""

from offhook.audio.events import Evidence
from offhook.carrier.events import AudioReceived, CarrierEvent
from offhook.errors import Failure
from offhook.values import Value


class TranscriptArrived(Value, frozen=True):
    """What a stretch of the caller's audio says. `final` is false for a transcript that may still grow.

    `understood` is false when the recogniser heard that something was said but cannot tell what; `text` is then
    empty. Empty and understood means that
    there were no words: a cough, a noise.
    """

    request: int
    text: str
    final: bool = True
    understood: bool = True


class ReplyText(Value, frozen=True):
    """The next piece of a reply, of any length; the pieces are joined without a separator."""

    request: int
    text: str


class ReplyFinished(Value, frozen=True):
    """The reply is complete."""

    request: int


class WordSpan(Value, frozen=True):
    """Where a word lies in the audio of its request, in samples at 8 kHz from its beginning."""

    word: str
    start: int
    end: int


class VoiceAudio(Value, frozen=True):
    """The next piece of synthesized speech, mu-law at 8 kHz; `words` may say where its words lie."""

    request: int
    mulaw: bytes
    words: tuple[WordSpan, ...] = ()


class VoiceFinished(Value, frozen=True):
    """All the speech of a request has come."""

    request: int


class RequestFailed(Value, frozen=True):
    """A request to a provider ended without a result."""

    request: int
    kind: Failure
    words: str


class SayOrdered(Value, frozen=True):
    """Somebody outside wants this said as soon as the floor is free."""

    text: str


class HangUpOrdered(Value, frozen=True):
    """Somebody outside wants the call to end, after `text` (may be empty) has been said."""

    text: str = ""


class DeadlinePassed(Value, frozen=True):
    """The instant that `Call.deadline` named has come."""


ProviderInput = TranscriptArrived | ReplyText | ReplyFinished | VoiceAudio | VoiceFinished | RequestFailed
Order = SayOrdered | HangUpOrdered
Input = CarrierEvent | Evidence | ProviderInput | Order | DeadlinePassed

__all__ = [
    "AudioReceived",
    "CarrierEvent",
    "DeadlinePassed",
    "Evidence",
    "HangUpOrdered",
    "Input",
    "Order",
    "ProviderInput",
    "ReplyFinished",
    "ReplyText",
    "RequestFailed",
    "SayOrdered",
    "TranscriptArrived",
    "VoiceAudio",
    "VoiceFinished",
    "WordSpan",
]
