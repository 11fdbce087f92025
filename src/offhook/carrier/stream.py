"""The seam between any carrier's wire and a call: text in, events out; commands in, text out. No socket."""

from typing import Protocol

from offhook.carrier.commands import Command
from offhook.carrier.events import CarrierEvent


class CarrierStream(Protocol):
    """One stream of one call."""

    def receive_text(self, text: str) -> list[CarrierEvent]:
        """Take one text frame as it came. Never raises, whatever the text: what cannot be used becomes
        `ProtocolBroken`."""
        ...

    def receive_binary(self, size: int) -> list[CarrierEvent]:
        """A binary frame of `size` bytes came."""
        ...

    def encode(self, command: Command) -> str:
        """The text frame for a command. Only legal between `StreamStarted` and `StreamStopped` of a two-way
        stream."""
        ...
