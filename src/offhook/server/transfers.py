"""Calls whose caller is on the way to somebody else.

A transfer outlives its stream, and is told of by webhooks that come in any order, twice, or never:

    order -> the stream ends -> the carrier asks what to do (`dial`) -> it rings there
          -> somebody answers (`connected`)
          -> nobody answers (`bring_back`) -> a new stream comes (`take_back`), and the call goes on

The caller may hang up at any point (`give_up`). Each wait has an end, at which a caller of whom nobody speaks any more
is given up too.
"""

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from offhook.carrier.twilio.stream import TwilioStream
from offhook.server.engine import CallDriver

logger = logging.getLogger("offhook.server")

RING = 30
"""Seconds that the other party's telephone rings."""
ASKED_WITHIN = 30.0
"""Seconds within which the carrier asks what comes after the stream; a webhook's retries included."""
TOLD_WITHIN = RING + 60.0
"""Seconds within which the carrier says what came of the dialling: a SIP trunk may take long to begin to ring."""


class Stage(StrEnum):
    """How far a transfer has come."""

    ORDERED = "ordered"
    """The stream is being closed; the carrier will ask what to do next."""
    RINGING = "ringing"
    """The carrier knows whom to dial."""
    RETURNING = "returning"
    """Nobody was there; the carrier has been told to open a stream to us again."""


HUNG_UP = "the caller hung up"
UNHEARD = {
    Stage.ORDERED: "the carrier never asked whom to dial",
    Stage.RINGING: "the carrier never said what came of the dialling",
    Stage.RETURNING: "the caller did not come back",
}


class Wire(Protocol):
    """A socket, as the call on it sees it."""

    @property
    def stream(self) -> TwilioStream: ...

    def put(self, text: str) -> None:
        """Send a text frame. Never blocks."""
        ...

    def close(self, code: int = 1000) -> None:
        """Close the socket behind what was put. Idempotent."""
        ...

    def leave(self) -> None:
        """Another socket carries the call now: hand it nothing more, and close."""
        ...


class Traveller(Protocol):
    """A call whose caller can be elsewhere."""

    @property
    def call_id(self) -> str: ...

    def send_back(self, reason: str) -> None:
        """The caller was not connected. They may come back; the stream that they had is over in any case."""
        ...

    def come_back(self, wire: Wire, stream_id: str) -> CallDriver:
        """The caller is here again, on another socket."""
        ...

    def stream_ended(self, wire: Wire, reason: str) -> None:
        """A socket is gone, this call's or one that it was on before."""
        ...

    def let_go(self, *, connected: bool, well: bool) -> None:
        """The caller is with somebody else, or gone: the call is over. `well` is false where nobody said so."""
        ...


@dataclass(eq=False)
class Transfer:
    call: Traveller
    to: str
    stage: Stage
    timer: asyncio.TimerHandle


class Transfers:
    """By CallSid. Every wait has its timer; a call is here until it is over or its caller is back."""

    def __init__(self, return_within: float) -> None:
        self._waits = {Stage.ORDERED: ASKED_WITHIN, Stage.RINGING: TOLD_WITHIN, Stage.RETURNING: return_within}
        self._under_way: dict[str, Transfer] = {}

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._under_way

    def order(self, call: Traveller, to: str) -> None:
        """A call wants its caller connected to `to`."""
        self.forget(call.call_id)
        self._under_way[call.call_id] = Transfer(call, to, Stage.ORDERED, self._timer(call.call_id, Stage.ORDERED))

    def dial(self, call_id: str) -> str | None:
        """The carrier asks whom to dial, perhaps again. None: nobody."""
        transfer = self._under_way.get(call_id)
        if transfer is None or transfer.stage is Stage.RETURNING:
            return None
        self._enter(transfer, Stage.RINGING)
        return transfer.to

    def bring_back(self, call_id: str, reason: str) -> bool:
        """The carrier says, perhaps again, that nobody was there. Whether the call still waits for its caller."""
        transfer = self._under_way.get(call_id)
        if transfer is None:
            return False
        if transfer.stage is not Stage.RETURNING:
            logger.info("Call %s is not connected to %s: %s", call_id, transfer.to, reason)
            transfer.call.send_back(reason)
        self._enter(transfer, Stage.RETURNING)
        return True

    def take_back(self, call_id: str) -> Traveller | None:
        """The caller is here again."""
        transfer = self._under_way.get(call_id)
        if transfer is None or transfer.stage is not Stage.RETURNING:
            return None
        self.forget(call_id)
        return transfer.call

    def connected(self, call_id: str) -> None:
        """The caller has been connected. Does nothing for a call that is not here, as `give_up` does."""
        if transfer := self.forget(call_id):
            logger.info("Call %s is connected to %s", call_id, transfer.to)
            transfer.call.let_go(connected=True, well=True)

    def give_up(self, call_id: str, words: str, *, well: bool = True) -> None:
        """The caller has been neither connected nor brought back."""
        if transfer := self.forget(call_id):
            logger.log(logging.INFO if well else logging.WARNING, "Call %s is given up: %s", call_id, words)
            if transfer.stage is not Stage.RETURNING:
                transfer.call.send_back(words)
            transfer.call.let_go(connected=False, well=well)

    def forget(self, call_id: str) -> Transfer | None:
        """The call goes on or ends for a reason of its own."""
        transfer = self._under_way.pop(call_id, None)
        if transfer:
            transfer.timer.cancel()
        return transfer

    def _enter(self, transfer: Transfer, stage: Stage) -> None:
        transfer.timer.cancel()
        transfer.stage, transfer.timer = stage, self._timer(transfer.call.call_id, stage)

    def _timer(self, call_id: str, stage: Stage) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(self._waits[stage], lambda: self.give_up(call_id, UNHEARD[stage], well=False))
