"""What the supervisor and its workers say to each other: lines of JSON on a socket of theirs. Pure."""

import msgspec

from offhook.server.slots import Refusal
from offhook.values import Value

LONGEST = 1024 * 1024
"""Bytes of a line. They hold ids and words of ours."""
BEAT = 1.0
"""Seconds between two signs of life."""


# What workers say


class Serving(Value, frozen=True):
    """Connections can be handed over."""


class Ready(Value, frozen=True):
    """The agent is ready for calls."""


class Failed(Value, frozen=True):
    """The agent cannot be made ready: why. The worker ends."""

    words: str


class Alive(Value, frozen=True):
    """A sign of life of the worker's event loop, once a `BEAT`; and whether it has no time for more calls."""

    late: bool


class Reserve(Value, frozen=True):
    """May this call have a line? `number` comes back with the answer."""

    number: int
    call_id: str


class Seat(Value, frozen=True):
    """May this call, whose stream has come, have its line? The token is good for so many more seconds."""

    number: int
    call_id: str
    token: str
    good_for: float


class Cancel(Value, frozen=True):
    """The stream of this call will not come."""

    call_id: str


class Leave(Value, frozen=True):
    """This call has ended."""

    call_id: str


# What the supervisor says


class Granted(Value, frozen=True):
    """The answer to a question: no refusal, or one."""

    number: int
    refusal: Refusal | None = None


class Evict(Value, frozen=True):
    """Another worker has the stream of this call."""

    call_id: str


class Others(Value, frozen=True):
    """How all workers are: whether all are ready, how many have been lost, and how many calls with them."""

    ready: bool
    workers_lost: int
    calls_lost: int


class Stop(Value, frozen=True):
    """Drain; for the second time: end at once."""


FromWorker = Serving | Ready | Failed | Alive | Reserve | Seat | Cancel | Leave
FromSupervisor = Granted | Evict | Others | Stop

_from_worker: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)
_from_supervisor: msgspec.json.Decoder[FromSupervisor] = msgspec.json.Decoder(FromSupervisor)


def encode(message: FromWorker | FromSupervisor) -> bytes:
    return msgspec.json.encode(message) + b"\n"


def from_worker(line: bytes) -> FromWorker:
    return _from_worker.decode(line)


def from_supervisor(line: bytes) -> FromSupervisor:
    return _from_supervisor.decode(line)
