"""What a driver needs of hearing: an ear for each track of each call, whether live or made up."""

from collections.abc import Callable
from typing import Protocol

from offhook.audio.events import Evidence
from offhook.timebase import Instant


class Ear(Protocol):
    """Listens to one track of one call and delivers evidence."""

    def listen(self, now: Instant, position: int, missing: int, mulaw: bytes) -> object: ...

    def played(self, now: Instant, mulaw: bytes) -> None: ...

    def cleared(self, now: Instant) -> None: ...

    def detach(self) -> None: ...


class Hearing(Protocol):
    """Where ears come from."""

    def attach(self, track: str, deliver: Callable[[Evidence], object]) -> Ear: ...
