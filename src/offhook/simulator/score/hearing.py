"""Hearing for many calls in one world: what is heard in the same instant is evaluated in one batch, as in a live
process, which costs a third of one after the other. What comes to each call's ear, and what it makes of it, is kept.
"""

import asyncio
from collections.abc import Callable

from offhook.audio.events import Evidence
from offhook.runtime import hearing
from offhook.runtime.ear import Ear
from offhook.simulator.score.ears import Track
from offhook.timebase import Instant


class Room:
    """All ears of one world."""

    def __init__(self) -> None:
        self.hearing = hearing.Hearing()
        self._waiting: dict[hearing.Ear, Callable[[Evidence], object]] = {}

    def hear(self, ear: hearing.Ear, deliver: Callable[[Evidence], object]) -> None:
        """An ear has something ready: evaluated before time goes on."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._evaluate)
        self._waiting[ear] = deliver

    def _evaluate(self) -> None:
        waiting, self._waiting = self._waiting, {}
        while ready := [ear for ear in waiting if ear.ready]:
            for ear, evidence in self.hearing.batch(ready):
                waiting[ear](evidence)


class Attending:
    """One call's hearing."""

    def __init__(self, room: Room, track: Track) -> None:
        self.evidence: list[Evidence] = []
        self._room = room
        self._track = track

    def attach(self, track: str, deliver: Callable[[Evidence], object]) -> Ear:
        def hear(evidence: Evidence) -> None:
            self.evidence.append(evidence)
            deliver(evidence)

        return _Ear(self._room, hear, self._track, track)


class _Ear:
    def __init__(self, room: Room, deliver: Callable[[Evidence], object], track: Track, name: str) -> None:
        self._room = room
        self._deliver = deliver
        self._track = track
        self._ear = room.hearing.ear(name)
        self.played = self._ear.played
        self.cleared = self._ear.cleared

    def listen(self, now: Instant, position: int, missing: int, mulaw: bytes) -> None:
        self._track.receive(position, mulaw)
        if self._ear.listen(now, position, missing, mulaw):
            self._room.hear(self._ear, self._deliver)

    def detach(self) -> None:
        """The call is over; what is still waiting is for nobody."""
        self._deliver = _nobody


def _nobody(_: Evidence) -> None: ...
