"""What any carrier tells us, in our own words. Facts, in the past tense."""

from enum import StrEnum

from offhook.values import Value


class Track(StrEnum):
    """Whose sound it is, seen from the call's own leg."""

    INBOUND = "inbound"
    """The caller."""
    OUTBOUND = "outbound"
    """What is played to the caller; only one-way streams carry it."""


class StreamStarted(Value, frozen=True):
    """The carrier began to stream a call. `two_way` says whether anything may be sent back."""

    call_id: str
    stream_id: str
    account_id: str
    tracks: tuple[Track, ...]
    two_way: bool
    parameters: dict[str, str]


class AudioReceived(Value, frozen=True):
    """Mu-law bytes at 8 kHz; `position` is the index of the first on its track.

    `missing` samples before `position` never came: the carrier's timestamps jumped over them. Whoever keeps the audio
    fills them with silence.
    """

    track: Track
    position: int
    mulaw: bytes
    missing: int = 0


class DigitPressed(Value, frozen=True):
    """The caller pressed one key: 0 to 9, *, # or A to D."""

    digit: str


class MarkReached(Value, frozen=True):
    """A mark of ours came back: what was sent before it was played, or was dropped by a `ClearAudio`."""

    name: str


class StreamStopped(Value, frozen=True):
    """The stream is over. `reason` says how we know: the carrier said so, the socket closed, nothing came any
    more."""

    reason: str


class Unrecognised(Value, frozen=True):
    """A message of a kind that is newer than this code. Kept, never an error."""

    kind: str


class ProtocolBroken(Value, frozen=True):
    """A message that cannot be used. `kind` is stable, so that each kind is reported once a call; `words` say what
    was wrong."""

    kind: str
    words: str


CarrierEvent = (
    StreamStarted | AudioReceived | DigitPressed | MarkReached | StreamStopped | Unrecognised | ProtocolBroken
)
