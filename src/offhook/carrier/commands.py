"""What we ask of any carrier. Orders, in the imperative."""

from offhook.values import Value


class PlayAudio(Value, frozen=True):
    """Queue mu-law bytes at 8 kHz behind what the carrier has yet to play."""

    mulaw: bytes


class SetMark(Value, frozen=True):
    """Tell us, by `MarkReached` with this name, when everything sent so far has been played. A name is used once."""

    name: str


class ClearAudio(Value, frozen=True):
    """Drop everything that has not been played yet."""


Command = PlayAudio | SetMark | ClearAudio
