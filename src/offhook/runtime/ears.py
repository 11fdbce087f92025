"""Live hearing: the ears of all calls on one event loop, evaluated in batches.

There is no timer or task per frame. A chunk that becomes ready asks for a batch, which takes whatever is ready when it
begins. With few ears it begins at once; with many it pays to wait a little for more of them (a chunk among ten costs a
quarter of one alone), so batches begin at least 0.2 ms per ear apart, at most 4 ms: with 80 ears ten chunks share one
batch. To wait for four times as many, up to 16 ms, saves nothing that shows beside all else (120 calls cost 0.0056 CPU
seconds per second either way), and replies come 12 ms later for it.

A batch is evaluated on the loop itself. On a thread of its own it waits for the interpreter's lock at each of its
products: with 80 calls a batch then took 6.3 ms on average, 32 ms at the 99th percentile, where it takes 2.0 and 4 ms
on the loop; replies came 25 ms later at the 95th percentile, and a call cost a sixth more.
"""

import asyncio
import logging
from collections.abc import Callable

from offhook.audio.events import Evidence
from offhook.runtime.clock import starting_now
from offhook.runtime.hearing import Ear, Hearing
from offhook.timebase import Instant

BATCH = 64
"""Ears evaluated before the loop gets its turn again: about 1.1 ms of work, and what the calls make of it."""
_APART_PER_EAR, _APART_AT_MOST = 0.000_2, 0.004
"""Seconds between the beginnings of two batches."""

log = logging.getLogger(__name__)


class LiveEar:
    """An ear whose evidence is delivered by itself. Made by `LiveHearing.attach`; to be used on the loop."""

    def __init__(self, hearing: "LiveHearing", ear: Ear, deliver: Callable[[Evidence], object]) -> None:
        self._hearing = hearing
        self.ear = ear
        self.deliver: Callable[[Evidence], object] | None = deliver
        """None once detached."""

    def listen(self, now: Instant, position: int, missing: int, mulaw: bytes) -> None:
        """As `Ear.listen`; what it makes ready is evaluated soon."""
        if self.ear.listen(now, position, missing, mulaw) and self.deliver:
            self._hearing.want(self)

    def played(self, now: Instant, mulaw: bytes) -> None:
        """As `Ear.played`."""
        self.ear.played(now, mulaw)

    def cleared(self, now: Instant) -> None:
        """As `Ear.cleared`."""
        self.ear.cleared(now)

    def detach(self) -> None:
        """Nothing more is delivered, not even what is being evaluated. May be called twice."""
        if self.deliver:
            self.deliver = None
            self._hearing.drop(self)


class LiveHearing:
    """All ears of one loop. `start` and `close` it there."""

    def __init__(self, hearing: Hearing | None = None) -> None:
        self.on_batch: Callable[[float, int], object] = lambda seconds, late: None
        """Told of every batch: how long it took, and how many of its chunks were late."""
        self._hearing = hearing or Hearing()
        self._clock = starting_now()
        self._waiting: dict[LiveEar, None] = {}
        """Ears with a chunk ready, the longest waiting first."""
        self._ears = 0
        self._pause: asyncio.TimerHandle | None = None
        """Runs while it is too early for another batch, unless that would be a full one."""
        self._planned: asyncio.Handle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to evaluate what is ready; to be called on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._plan()

    def close(self) -> None:
        """Evaluate nothing more. What waits is dropped."""
        self._loop = None
        for handle in (self._pause, self._planned):
            if handle:
                handle.cancel()
        self._waiting.clear()

    def attach(self, track: str, deliver: Callable[[Evidence], object]) -> LiveEar:
        """A new ear; `deliver` is called on the loop for each of its chunks, in order."""
        self._ears += 1
        return LiveEar(self, self._hearing.ear(track), deliver)

    def want(self, ear: LiveEar) -> None:
        """This ear has a chunk ready."""
        self._waiting[ear] = None
        self._plan()

    def drop(self, ear: LiveEar) -> None:
        """This ear is gone."""
        self._ears -= 1
        self._waiting.pop(ear, None)

    def _plan(self) -> None:
        """See to it that a batch begins when it may, if there is anything to do."""
        too_early = self._pause is not None and len(self._waiting) < BATCH
        if self._loop and self._waiting and not (self._planned or too_early):
            self._planned = self._loop.call_soon(self._evaluate)

    def _rested(self) -> None:
        self._pause = None
        self._plan()

    def _evaluate(self) -> None:
        self._planned = None
        assert self._loop
        if self._pause:
            self._pause.cancel()
        self._pause = self._loop.call_later(min(_APART_AT_MOST, _APART_PER_EAR * self._ears), self._rested)
        wanting = list(self._waiting)[:BATCH]
        for ear in wanting:
            del self._waiting[ear]
        ears = [ear for ear in wanting if ear.ear.ready]  # a line that jumped meanwhile has nothing ready any more
        began = self._clock()
        heard = self._hearing.batch([ear.ear for ear in ears])
        late = [ear for ear in ears if ear.ear.ready]
        self.on_batch((self._clock() - began) / 1_000_000, len(late))
        self._waiting.update(dict.fromkeys(late))
        self._plan()
        for ear, (_, evidence) in zip(ears, heard, strict=True):
            if ear.deliver:
                _deliver(ear.deliver, evidence)


def _deliver(deliver: Callable[[Evidence], object], evidence: Evidence) -> None:
    """One call's trouble with its evidence is not the others'."""
    try:
        deliver(evidence)
    except Exception:
        log.exception("evidence at %d could not be handled", evidence.position)
