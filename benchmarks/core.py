"""What a call costs, part by part, without sockets and without providers' clients: CPU seconds per second of a call.

    python benchmarks/core.py [--calls 40] [--seconds 60] [--idle] [--rounds 3] [--say speech.wav] [--memory]

Callers of the load test's profile and the drivers of their calls live in one world of virtual time: frames come as from
sockets, each call's at its own instant; hearing works in batches as it does live, on the same thread. So every run does
exactly the same work, whatever else the machine does; only how long that takes differs, and of several rounds the least
is told. `--memory` tells what a call holds instead, while it lasts and when it is over.
"""

import argparse
import asyncio
import dataclasses
import gc
import os
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


import numpy as np

from offhook.agent import Agent
from offhook.audio import leveller, mulaw, resample
from offhook.audio.events import Evidence
from offhook.call.inputs import Input
from offhook.carrier.events import AudioReceived
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.providers.scripted import ScriptedVoice
from offhook.runtime.driver import Driver
from offhook.runtime.ears import LiveHearing
from offhook.runtime.hearing import Hearing
from offhook.runtime.services import Services
from offhook.simulator import world
from offhook.simulator.load import agents
from offhook.simulator.load.caller import FRAME, LoadCaller, Sounds
from offhook.simulator.load.ideal import joined
from offhook.simulator.load.material import line_noise, speech
from offhook.simulator.load.profile import GRID, Profile, Tally
from offhook.simulator.phone import identity
from offhook.timebase import RATE, Instant

PARTS = ("frames", "evidence", "turns", "encode", "batches", "hearing", "resample", "level", "mu-law")
OTHERS = ("callers", "loop, tasks and scripted providers")
"""No part of the server: they are told, and not counted."""
CYCLE = 12.0


class Parts:
    """Who the CPU works for: at any instant one part, the innermost one that was entered."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        self._part, self._since, self._look = OTHERS[1], time.thread_time_ns(), 0
        least = []
        for _ in range(10_000):
            self.enter(OTHERS[1])
            least.append(self.spent.pop(OTHERS[1]))
        self._look = min(least)
        """What looking at the clock costs, which is no part's."""

    def enter(self, part: str) -> str:
        now = time.thread_time_ns()
        self.spent[self._part] += now - self._since - self._look
        before, self._part, self._since = self._part, part, now
        return before

    def count(self, owner: Any, name: str, part: str) -> None:
        """What this function or method does is that part's."""
        work = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            before = self.enter(part)
            try:
                return work(*given, **named)
            finally:
                self.enter(before)

        setattr(owner, name, counted)

    def count_inputs(self) -> None:
        """Evidence is one part, a frame is already another one, everything else that comes to a call is a turn."""
        work = Driver._input

        def counted(driver: Driver, event: Input) -> Instant:
            if type(event) is AudioReceived:
                return work(driver, event)
            before = self.enter("evidence" if type(event) is Evidence else "turns")
            try:
                return work(driver, event)
            finally:
                self.enter(before)

        Driver._input = counted  # type: ignore[method-assign,assignment]


def counted() -> Parts:
    """Have the work of everything that is looked at counted."""
    parts = Parts()
    parts.count_inputs()
    for owner, name, part in [
        (Driver, "on_text", "frames"),
        (TwilioStream, "encode", "encode"),
        (Hearing, "evaluate", "hearing"),
        (LiveHearing, "_evaluate", "batches"),
        (resample.Resampler, "feed", "resample"),
        (resample.Resampler, "flush", "resample"),
        (leveller.Utterance, "feed", "level"),
        (leveller.Utterance, "finish", "level"),
        (mulaw, "encode", "mu-law"),
        (LoadCaller, "tick", "callers"),
        (LoadCaller, "on_text", "callers"),
    ]:
        parts.count(owner, name, part)
    return parts


class Speaker(ScriptedVoice):
    """Says something at 24 kHz, 6 dB louder than the telephone: it has to be resampled and levelled like any voice."""

    def __init__(self, said: bytes) -> None:
        super().__init__(agents.SPEECH, rate=24_000)
        loud = mulaw.decode(said).astype(np.float64) * 10 ** (6 / 20)
        pcm = resample.whole(np.rint(np.clip(loud, -32_768, 32_767)).astype(np.int16), RATE, self.rate)
        size = round(agents.WORD * self.rate)
        self._words = [pcm[at : at + size].astype("<i2").tobytes() for at in range(0, len(pcm) - size + 1, size)]

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        """A stretch of it for each word."""
        await asyncio.sleep(agents.SPEECH)
        for number, _ in enumerate(text.split()):
            yield self._words[number % len(self._words)]


class Latest(list[Any]):
    """What a scripted provider remembers of what it was asked: else it is what grows."""

    def append(self, item: Any) -> None:
        self[:] = [item]


class Crowd:
    """So many callers and their calls in one world. `watch` is told "begin" when they have been talking for a cycle and
    "end" before they hang up."""

    def __init__(self, said: bytes, calls: int, watch: Callable[[str], object], *, idle: bool) -> None:
        self.tally = Tally()
        self._profile, self._calls, self._said = Profile(b"" if idle else said, line_noise()), calls, said
        self._sounds = Sounds(self._profile)
        self._watch = watch

    async def talk(self, seconds: float) -> None:
        hearing = LiveHearing()
        hearing.start()
        agent = dataclasses.replace(agents.scripted(), tts=Speaker(self._said))
        for provider in (agent.stt, agent.llm):
            provider.asked = Latest()
        services = Services.of(agent)
        drivers: list[Driver] = []
        async with asyncio.TaskGroup() as tasks:
            callers = [tasks.create_task(self._call(services, agent, hearing, n, drivers)) for n in range(self._calls)]
            await asyncio.sleep(CYCLE)
            self._watch("begin")
            await asyncio.sleep(seconds)
            self._watch("end")
            for caller in callers:
                caller.cancel()
        await asyncio.gather(*(driver.finish() for driver in drivers))
        hearing.close()
        await services.aclose()

    async def _call(
        self, services: Services, agent: Agent, hearing: LiveHearing, number: int, out: list[Driver]
    ) -> None:
        """Frames come at the call's own instant of each 20 ms; the calls speak one after the other."""
        await asyncio.sleep(number / self._calls * FRAME / RATE)
        ids, first = identity(Random(number)), GRID + int(CYCLE * RATE) * number // self._calls // GRID * GRID
        if not self._profile.speech:
            first = sys.maxsize

        def caller(send: Callable[[bytes], None]) -> LoadCaller:
            return LoadCaller(self._profile, self._sounds, ids, self.tally, send, first)

        driver, tick = joined(agent, services, hearing, ids, caller)
        out.append(driver)
        while True:
            await asyncio.sleep(FRAME / RATE)
            tick()


def floor() -> float:
    """Microseconds for decoding the message of one frame: what the machine is worth just now."""
    text = messages.media("MZ1", bytes(range(160)), sequence=1, chunk=1, timestamp=0)
    found = []
    for _ in range(20):
        began = time.thread_time_ns()
        for _ in range(1_000):
            messages.decode_message(text)
        found.append(time.thread_time_ns() - began)
    return min(found) / 1e6


def measure(given: argparse.Namespace, said: bytes) -> None:
    """Print the parts of the round in which the whole was cheapest."""
    parts = counted()
    rounds: list[Counter[str]] = []

    def watch(event: str) -> None:
        parts.enter(OTHERS[1])
        if event == "begin":
            gc.collect()
            gc.freeze()  # as a server does when it is ready
            parts.enter(OTHERS[1])
            parts.spent.clear()
        else:
            rounds.append(Counter(parts.spent))

    unit, tally = floor(), Tally()
    for _ in range(given.rounds):
        crowd = Crowd(said, given.calls, watch, idle=given.idle)
        world.run(crowd.talk(given.seconds))
        unit, tally = min(unit, floor()), crowd.tally
    best = min(rounds, key=lambda spent: sum(spent[part] for part in PARTS))
    scale = 1e9 * given.calls * given.seconds
    print(f"{given.calls} calls for {given.seconds:g} s; decoding one frame's message takes {unit:.2f} us")
    harmed = f"{tally.underruns} underruns, {tally.unanswered} turns without a reply"
    print(f"{len(tally.delays)} replies, {len(tally.clears)} broken into, {harmed}, {tally.problems}\n")
    print(f"{'part':<36}{'CPU s per call-second':>22}{'x floor':>9}")
    for part in (*PARTS, "all of these", *OTHERS):
        spent = sum(best[each] for each in PARTS) if part == "all of these" else best[part]
        print(f"{part:<36}{spent / scale:>22.5f}{spent / scale * 1e6 / unit:>9.0f}")


def weigh(given: argparse.Namespace, said: bytes) -> None:
    """Print what the calls hold: traced, or else by what the process grows, which tracing itself would make it do."""
    held: list[tracemalloc.Snapshot] = []
    grown: list[float] = []

    def watch(event: str) -> None:
        gc.collect()
        if event == "end":
            grown.append((resident() - before) / given.calls / 1e6)
            if given.traced:
                held.append(tracemalloc.take_snapshot())

    world.run(Crowd(said, 1, lambda event: None, idle=given.idle).talk(12.0))
    gc.collect()
    before = resident()
    if given.traced:
        tracemalloc.start()
    world.run(Crowd(said, given.calls, watch, idle=given.idle).talk(given.seconds))
    if not held:
        print(f"{given.calls} calls that have lasted for {CYCLE + given.seconds:g} s: {grown[0]:.3f} MB a call")
        return
    lines = held[0].statistics("lineno")
    print(f"traced: {sum(line.size for line in lines) / given.calls / 1e6:.3f} MB a call, of which kB:")
    for line in lines[:25]:
        print(f"{line.size / given.calls / 1e3:>9.1f}  {line.count / given.calls:>8.1f} x  {line.traceback}")


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--calls", type=int, default=40)
    asked.add_argument("--seconds", type=float, default=60.0)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--say", type=Path)
    asked.add_argument("--idle", action="store_true")
    asked.add_argument("--memory", action="store_true")
    asked.add_argument("--traced", action="store_true", help="with --memory: by the line that took it")
    given = asked.parse_args()
    (weigh if given.memory else measure)(given, asyncio.run(speech(given.say)))


if __name__ == "__main__":
    main()
