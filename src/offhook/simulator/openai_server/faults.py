"""What the local server can be told to do wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from offhook.simulator.openai_server.log import Request, Stage


class Trouble(StrEnum):
    """A way to fail."""

    REFUSE = "refuse"
    """The connection is closed without an answer."""
    HANG = "hang"
    """Nothing ever comes."""
    SLOW = "slow"
    """Everything comes, `seconds` later."""
    GARBAGE = "garbage"
    """A successful answer that makes no sense."""
    CLOSE = "close"
    """The connection is closed after `after` pieces of the answer."""
    MUTE = "mute"
    """A conversation's `session.updated` never comes."""
    OTHER_FORMAT = "other format"
    """A conversation's session is not given the format of audio that it was asked for,"""
    OTHER_TURNS = "other turns"
    """or not left the turns."""
    FAILED = "failed"
    """A conversation's replies end as failed: overloaded."""
    UNAUTHORIZED = "401"
    OVERLOADED = "429"
    """With `Retry-After: seconds`."""
    BROKEN = "500"


@dataclass(frozen=True, slots=True)
class Fault:
    """One trouble at one stage, at the given requests (counted from 1 per stage; none given: at every one)."""

    stage: Stage
    trouble: Trouble
    requests: tuple[int, ...] = ()
    after: int = 1
    seconds: float = 1.0


def of(faults: Sequence[Fault], request: Request) -> Fault | None:
    """What to do wrong about a request."""
    for fault in faults:
        if fault.stage is request.stage and (not fault.requests or request.number in fault.requests):
            return fault
    return None
