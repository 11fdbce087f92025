"""What the local server was asked, when, and how it ended."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from offhook.simulator.clock import LoopClock
from offhook.timebase import Instant


class Stage(StrEnum):
    """Which interface a request is for."""

    TRANSCRIPTION = "transcription"
    CHAT = "chat"
    RESPONSES = "responses"
    SPEECH = "speech"
    MODELS = "models"
    REALTIME = "realtime"


@dataclass(slots=True)
class Request:
    """One request, or one WebSocket session. Instants count from the server's start."""

    stage: Stage
    number: int
    """The n-th of its stage, from 1."""
    began: Instant
    asked: dict[str, Any] = field(default_factory=dict)
    """The fields of its body; audio as its length in `seconds` and its greatest magnitude, its `peak`."""
    first: Instant | None = None
    """When the first piece of the answer's body left."""
    ended: Instant | None = None
    status: int = 0
    """The answer's status, 0 where none was sent."""
    cancelled: bool = False
    """Whether the client went away before the answer was complete."""


class Log(list[Request]):
    """All requests in the order in which they came."""

    def __init__(self, clock: LoopClock) -> None:
        super().__init__()
        self.clock = clock
        self._counts: Counter[Stage] = Counter()

    def begin(self, stage: Stage) -> Request:
        self._counts[stage] += 1
        request = Request(stage, self._counts[stage], self.clock())
        self.append(request)
        return request

    def of(self, stage: Stage) -> list[Request]:
        """The requests of one stage."""
        return [request for request in self if request.stage is stage]

    @property
    def running(self) -> list[Request]:
        """What has not ended."""
        return [request for request in self if request.ended is None]
