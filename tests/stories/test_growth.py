"""What calls cost as they grow longer and more numerous: no more than before."""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from kit import agent, ears, speech, tell

from effort import yardstick
from offhook.agent import patience
from offhook.audio import mulaw
from offhook.audio.events import CHUNK, Evidence
from offhook.call.config import Limits
from offhook.call.inputs import Order
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice
from offhook.runtime.driver import Driver
from offhook.runtime.ear import Ear, Hearing
from offhook.runtime.ears import LiveHearing
from offhook.runtime.services import Services
from offhook.runtime.switchboard import Switchboard
from offhook.simulator import world
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.clock import LoopClock
from offhook.timebase import RATE, Instant, seconds

pytestmark = pytest.mark.long

FRAME = 1_600
"""Samples of a message, 200 ms: four hours are long."""
CYCLE, SPOKEN = 24 * RATE, 3 * RATE
HALF_HOUR = 75
"""Cycles."""
HALF_HOURS = 8
WORDS_KEPT = 6
"""Blocks of memory for what one turn and its answer said, which a call remembers to its end."""


class Scheduled:
    """Hears the caller speak for three seconds in 24. Of long silence it says nothing, as nothing follows from
    it."""

    def attach(self, track: str, deliver: Callable[[Evidence], object]) -> Ear:
        return ScheduledEar(track, deliver)


class ScheduledEar:
    def __init__(self, track: str, deliver: Callable[[Evidence], object]) -> None:
        self._track, self._deliver, self._at = track, deliver, 0

    def listen(self, now: Instant, position: int, missing: int, audio: bytes) -> None:
        while self._at + CHUNK <= position + len(audio):
            place = self._at % CYCLE
            if place < SPOKEN + 2 * RATE:
                speech, level = (1.0, -25.0) if place < SPOKEN else (0.0, -70.0)
                self._deliver(Evidence(self._track, self._at, 0, speech, level, 0.0, 0.0))
            self._at += CHUNK

    def played(self, now: Instant, audio: bytes) -> None:
        """There is no echo."""

    def cleared(self, now: Instant) -> None:
        """See `played`."""

    def detach(self) -> None:
        """Nothing outlives the ear."""


class Latest(list[Any]):
    """What a scripted provider was asked: the last of it, for a list that grows would be all that is found."""

    def append(self, item: Any) -> None:
        self[:] = [item]


def services_of(**settings: Any) -> tuple[Services, Any]:
    """An agent's services, and the configuration of its calls."""
    stt, llm = ScriptedTranscriber(delay=0.2, by_audio=lambda _: "A room for two nights"), ScriptedModel(["Of course."])
    tts = ScriptedVoice(sound=lambda _: b"\x00\x08\x00\xf8" * 600)
    for provider in (stt, llm, tts):
        provider.asked = provider.cancelled = Latest()
    one = agent(stt=stt, llm=llm, tts=tts, patience=patience(idle=3_600), **settings)
    services = Services.of(one)
    return services, services.config(one)


class Carrier:
    """Sends a call's messages, and its marks back with the next."""

    def __init__(self, services: Services, config: Any, hearing: Hearing, number: int = 1) -> None:
        self.call_id, self.stream_id = f"CA{number}", f"MZ{number}"
        self._marks: list[str] = []
        self._sent = 0
        self.driver = Driver(
            config,
            services,
            hearing,
            stream=TwilioStream(),
            send=self._hear,
            close=lambda: None,
            report=lambda now, report: None,
            clock=LoopClock(),
        )
        self.driver.on_text(messages.connected())
        self.driver.on_text(messages.start(self.stream_id, self.call_id, "AC1"))

    def frame(self, size: int) -> None:
        self._sent += 1
        at = (self._sent - 1) * size // 8
        text = messages.media(
            self.stream_id, mulaw.SILENCE * size, sequence=self._sent + 1, chunk=self._sent, timestamp=at
        )
        self.driver.on_text(text)
        for name in self._marks:
            self.driver.on_text(messages.mark(self.stream_id, name, sequence=self._sent + 1))
        self._marks.clear()

    def _hear(self, text: str) -> None:
        sent = json.loads(text)
        if sent["event"] == "mark":
            self._marks.append(sent["mark"]["name"])

    def order(self, order: Order) -> None:
        """As the switchboard asks."""
        self.driver.order(order)

    def close(self, reason: str) -> None:
        """As the switchboard asks."""
        self.driver.on_closed(reason)


def blocks() -> int:
    """How many blocks of memory Python's objects take: a count, which no other process moves."""
    gc.collect()
    return sys.getallocatedblocks()


class HalfHour(NamedTuple):
    blocks: int
    work: float
    """In yardsticks."""
    kept: int
    """Samples of the caller's."""
    turns: int


@pytest.fixture(scope="module")
def four_hours() -> list[HalfHour]:
    """One call of the profile, half hour by half hour."""
    found = []

    async def story() -> None:
        services, config = services_of(limits=Limits(longest_call=seconds(5 * 3_600)))
        carrier = Carrier(services, config, Scheduled())
        for _ in range(HALF_HOURS):
            before, began = yardstick(), time.process_time()
            for _ in range(HALF_HOUR * CYCLE // FRAME):
                await asyncio.sleep(FRAME / RATE)
                carrier.frame(FRAME)
            took, call = time.process_time() - began, carrier.driver.call
            work = 2 * took / (before + yardstick())
            found.append(HalfHour(blocks(), work, len(carrier.driver._tracks["inbound"]), len(call.history._entries)))
        await carrier.driver.finish()

    world.run(story(), limit=1e5)
    return found


def test_a_call_of_four_hours_keeps_what_was_said_and_nothing_else(four_hours: list[HalfHour]) -> None:
    first, *_, last = four_hours
    turns = HALF_HOUR * (HALF_HOURS - 1)
    assert last.turns - first.turns == 2 * turns, "every turn was answered"
    assert last.blocks - first.blocks < turns * WORDS_KEPT
    assert max(half_hour.kept for half_hour in four_hours) < 2 * CYCLE


@pytest.mark.wall_clock
def test_a_minute_of_the_last_half_hour_costs_what_one_of_the_first_did(four_hours: list[HalfHour]) -> None:
    work = [half_hour.work for half_hour in four_hours]
    assert min(work[-3:]) < 1.4 * min(work[:3])


def test_ten_thousand_calls_leave_nothing_behind() -> None:
    """Each begins, is greeted, and is hung up in the midst of that."""
    found = []

    async def story() -> None:
        services, config = services_of()
        switchboard, hearing = Switchboard(), LiveHearing()
        hearing.start()
        for number in range(10_001):
            carrier = Carrier(services, config, hearing, number)
            switchboard.connect(carrier)
            await asyncio.sleep(0.05)
            carrier.frame(FRAME)
            carrier.close("hung up")
            await carrier.driver.finish()
            switchboard.disconnect(carrier)
            if number in (2_500, 10_000):
                found.append(blocks())
        assert switchboard.lines() == ()
        hearing.close()

    world.run(story(), limit=1e5)
    before, after = found
    assert after - before < 100, "a hundredth of a block for each call"


def test_an_utterance_of_a_minute_is_held_whole_and_heard_as_one() -> None:
    words = "book a room please what about tomorrow then " * 27
    transcriber = ears()

    async def talkative(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech(words))
        await caller.listen_until_quiet(2.0)

    told = tell(agent("Fine.", stt=transcriber), talkative)
    assert told.user_said == [words.strip()]
    assert len(transcriber.asked[-1].mulaw) > 60 * RATE
    assert told.agent_said[-1] == "Fine."
