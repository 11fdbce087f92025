"""One process of a load test: rings up its share of the callers and moves them all by one ticker of a millisecond."""

import asyncio
import sys
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from random import Random
from urllib.parse import urlsplit

from offhook.carrier.twilio import messages
from offhook.carrier.twilio.signature import HEADER, sign
from offhook.errors import CarrierError
from offhook.simulator.clock import LoopClock
from offhook.simulator.load import websocket
from offhook.simulator.load.caller import LoadCaller, Sounds
from offhook.simulator.load.profile import GRID, Profile, Tally
from offhook.simulator.phone import Identity, identity
from offhook.simulator.ring import ask, form_of
from offhook.simulator.twiml import CarrierScript, Stream, somebody_answers
from offhook.timebase import Instant, samples
from offhook.values import Value

SLOTS = 20
"""The callers are spread over the milliseconds of a frame, as those of a carrier are."""
SLOT = 1_000


class Plan(Value, frozen=True):
    """`calls` callers ring within `ramp` seconds, live for `warm` more, and are then measured for `seconds`."""

    url: str
    calls: int
    profile: Profile
    ramp: float
    warm: float
    seconds: float
    auth_token: str = ""
    seed: int = 0


class Crowd:
    """The callers of one process."""

    def __init__(self, plan: Plan) -> None:
        self.tally = Tally()
        self._plan = plan
        self._sounds = Sounds(plan.profile)
        self._clock = LoopClock()
        self._random = Random(plan.seed)
        self._slots: list[list[LoadCaller]] = [[] for _ in range(SLOTS)]
        self._sockets: set[websocket.Socket] = set()
        self._slot = 0
        self._timer = self._clock.at(Instant(SLOT), self._tick)

    async def ring(self) -> None:
        """Ring up everybody, evenly spread over the ramp."""
        apart = self._plan.ramp / self._plan.calls
        async with asyncio.TaskGroup() as tasks:
            for index in range(self._plan.calls):
                tasks.create_task(self._ring(index, index * apart))

    async def warm_up(self) -> None:
        """Until the calls that came about are under way."""
        if self._sockets:
            await asyncio.sleep(self._plan.warm)

    async def measure(self) -> Tally:
        """What is met in the time that is measured, without what came before. Where nobody was let in that is nothing,
        at once."""
        vars(self.tally).update(vars(Tally(refusals=self.tally.refusals)))
        if self._sockets:
            await asyncio.sleep(self._plan.seconds)
        met = Tally()
        met.add(self.tally)
        return met

    def hang_up(self) -> None:
        self._timer.cancel()
        for socket in self._sockets:
            socket.on_closed = lambda: None
            socket.close()

    async def _ring(self, index: int, wait: float) -> None:
        await asyncio.sleep(wait)
        ids = identity(Random())  # a call's ids never come again: a server may remember where it was put
        token = self._plan.auth_token
        try:
            stream = await _answered(self._plan.url, ids, token)
            headers = {HEADER: sign(token, stream.url)} if token else {}
            socket = await websocket.connect(stream.url, headers, self._random)
        except CarrierError as error:
            self.tally.refusals[str(error)] += 1
            return
        profile = self._plan.profile
        first = self._random.randrange(0, samples(profile.cycle), GRID) if profile.speech else sys.maxsize
        cycles = self._random.randrange(max(1, profile.barge_in_every))
        caller = LoadCaller(profile, self._sounds, ids, self.tally, socket.send, first, cycles)
        socket.on_text = lambda text: caller.on_text(self._clock(), text)
        socket.on_closed = partial(self._lost, socket, caller, slot := index % SLOTS)
        socket.send(messages.connected().encode())
        begun = messages.start(ids.stream_id, ids.call_id, ids.account_id, parameters=stream.parameters)
        socket.send(begun.encode())
        self._sockets.add(socket)
        self._slots[slot].append(caller)

    def _lost(self, socket: websocket.Socket, caller: LoadCaller, slot: int) -> None:
        self.tally.lost += 1
        self._sockets.discard(socket)
        self._slots[slot].remove(caller)

    def _tick(self) -> None:
        """Each caller of the slots that are due sends its frame. A late ticker catches up, as a carrier would."""
        now = self._clock()
        self.tally.lateness.append(now - (self._slot + 1) * SLOT)
        while (self._slot + 1) * SLOT <= now:
            for caller in self._slots[self._slot % SLOTS]:
                caller.tick(now)
            self._slot += 1
        self._timer = self._clock.at(Instant((self._slot + 1) * SLOT), self._tick)


async def _answered(url: str, ids: Identity, token: str) -> Stream:
    """Where the webhook wants the call streamed to. Raises CarrierError."""
    if urlsplit(url).scheme in ("ws", "wss"):
        return Stream(url)
    return await CarrierScript(partial(ask, token), form_of(ids, "+15550100", "+15550199"), somebody_answers).begin(url)


async def _run(plan: Plan, parent: Connection) -> None:
    crowd = Crowd(plan)
    await crowd.ring()
    await crowd.warm_up()
    parent.send("ready")
    with suppress(EOFError):  # the parent wants to know no more
        await asyncio.to_thread(parent.recv)
        parent.send(await crowd.measure())
    crowd.hang_up()
    await asyncio.sleep(0.1)


def run(plan: Plan, parent: Connection) -> None:
    """The process: says "ready", waits for an order, measures, and sends its `Tally`."""
    import uvloop

    uvloop.run(_run(plan, parent))
