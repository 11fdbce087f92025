"""Who gives out the lines: this very process, or the supervisor of several. And what a process is told of its place."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from offhook.server.slots import Refusal, Slots


class Desk(Protocol):
    """Gives out lines. `server.slots.Slots` says what each of these does; only the asking differs."""

    @property
    def ready(self) -> bool:
        """Whether all others who serve the same port are ready too."""
        ...

    @property
    def lost(self) -> tuple[int, int]:
        """How many workers have died, and how many calls with them."""
        ...

    async def reserve(self, call_id: str) -> Refusal | None: ...

    async def seat(self, call_id: str, token: str, good_for: float) -> Refusal | None: ...

    def cancel(self, call_id: str) -> None: ...

    def leave(self, call_id: str) -> None: ...

    def close(self) -> None:
        """This process takes no new calls any more."""
        ...


class OwnDesk:
    """The desk of a process that is alone."""

    ready = True
    lost = (0, 0)

    def __init__(self, slots: Slots, clock: Callable[[], float]) -> None:
        self._slots = slots
        self._clock = clock

    async def reserve(self, call_id: str) -> Refusal | None:
        return self._slots.reserve(call_id, 0, self._clock())

    async def seat(self, call_id: str, token: str = "", good_for: float = 0.0) -> Refusal | None:
        return self._slots.seat(call_id, 0, self._clock(), token, good_for)

    def cancel(self, call_id: str) -> None:
        self._slots.cancel(call_id)

    def leave(self, call_id: str) -> None:
        self._slots.leave(call_id, 0)

    def close(self) -> None:
        self._slots.closed = True


@dataclass(frozen=True)
class Post:
    """Where a process stands among those that serve one port. The default: alone."""

    desk: Desk | None = None
    """None: it gives out the lines itself."""
    worker: int | None = None
    """Its number, which the addresses of its streams end in."""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """What tokens are signed with where there is no auth token."""
    metrics: Path | None = None
    """The folder where the processes' figures are added up."""
