"""What a frame costs on its way through a call, each step as a multiple of decoding its message, in the same run.

`python benchmarks/frames.py`. The floor is what no server can leave out: `msgspec` reading one `media` message of 20
ms, base64 included. Ratios hold from machine to machine within a fifth or so; microseconds do not. A step's figure is
the least of several rounds, in CPU time of the process.
"""

import asyncio
import os
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from offhook.audio import mulaw
from offhook.audio.events import CHUNK, Evidence
from offhook.audio.ring import CallerAudio
from offhook.call.call import Call
from offhook.call.config import CallConfig
from offhook.carrier.commands import PlayAudio
from offhook.carrier.events import AudioReceived, StreamStarted, Track
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice
from offhook.runtime.driver import Driver
from offhook.runtime.ears import LiveHearing
from offhook.runtime.hearing import Hearing
from offhook.runtime.services import Services
from offhook.timebase import Instant

FRAME = 160
FRAMES = 2_000
ROUNDS = 5
STARTED = StreamStarted("CA1", "MZ1", "AC1", (Track.INBOUND,), True, {})


def noise(count: int, dbov: float) -> bytes:
    """Mu-law of `count` samples of noise."""
    dice = np.random.default_rng(1)
    return mulaw.encode(np.rint(dice.standard_normal(count) * 32_768 * 10 ** (dbov / 20)).astype(np.int16))


def texts(sound: bytes) -> list[str]:
    """The messages in which a carrier would send it."""
    return [
        messages.media("MZ1", sound[at : at + FRAME], sequence=at, chunk=at // FRAME + 1, timestamp=at // 8)
        for at in range(0, len(sound), FRAME)
    ]


def least(prepare: Callable[[], Callable[[], int]]) -> float:
    """Microseconds per unit of work, of which what `prepare` returns does some and says how many."""
    found = []
    for _ in range(ROUNDS):
        work = prepare()
        began = time.process_time()
        count = work()
        found.append((time.process_time() - began) / count * 1e6)
    return min(found)


def decoding(sent: list[str]) -> int:
    for text in sent:
        messages.decode_message(text)
    return len(sent)


def streaming(sent: list[str]) -> Callable[[], int]:
    stream = started_stream()

    def work() -> int:
        for text in sent:
            stream.receive_text(text)
        return len(sent)

    return work


def started_stream() -> TwilioStream:
    stream = TwilioStream()
    stream.receive_text(messages.connected())
    stream.receive_text(messages.start("MZ1", "CA1", "AC1"))
    return stream


def keeping(frames: list[AudioReceived]) -> int:
    ring = CallerAudio()
    for frame in frames:
        ring.write(frame.position, frame.mulaw)
        ring.forget(frame.position - 1_200_000)
    return len(frames)


def listening(frames: list[AudioReceived]) -> Callable[[], int]:
    ear = Hearing().ear("inbound")

    def work() -> int:
        for frame in frames:
            if ear.listen(Instant(frame.position * 125), frame.position, 0, frame.mulaw):
                ear.take()
        return len(frames)

    return work


def handling(frames: list[AudioReceived]) -> Callable[[], int]:
    call = Call(CallConfig())
    call.handle(Instant(0), STARTED)

    def work() -> int:
        for frame in frames:
            call.handle(Instant(frame.position * 125), frame)
            if call.hurried:
                call.deadline  # noqa: B018 - asked as the driver asks
        return len(frames)

    return work


def weighing(frames: list[AudioReceived]) -> Callable[[], int]:
    call = Call(CallConfig())
    call.handle(Instant(0), STARTED)
    said = [Evidence("inbound", at * CHUNK, 0, 0.01, -60.0, 0.0, 0.0) for at in range(len(frames))]

    def work() -> int:
        for each in said:
            call.handle(Instant(each.position * 125), each)
            if call.hurried:
                call.deadline  # noqa: B018
        return len(said)

    return work


def evaluating(sound: bytes, ears: int) -> Callable[[], int]:
    hearing = Hearing()
    several = [hearing.ear("inbound") for _ in range(ears)]
    chunks = len(sound) // CHUNK

    def work() -> int:
        for at in range(chunks):
            for ear in several:
                ear.listen(Instant(at * CHUNK * 125), at * CHUNK, 0, sound[at * CHUNK : (at + 1) * CHUNK])
            hearing.batch(several)
        return chunks * ears

    return work


def driving(sent: list[str]) -> float:
    """A whole driver, without the evaluation of what was heard and without a socket."""

    async def run() -> float:
        services = Services([ScriptedTranscriber()], [ScriptedModel()], [ScriptedVoice()])
        driver = Driver(
            CallConfig(),
            services,
            LiveHearing(),
            stream=TwilioStream(),
            send=lambda text: None,
            close=lambda: None,
            report=lambda now, report: None,
            clock=lambda: Instant(time.monotonic_ns() // 1_000 - 0),
        )
        driver.on_text(messages.connected())
        driver.on_text(messages.start("MZ1", "CA1", "AC1"))
        began = time.process_time()
        for text in sent:
            driver.on_text(text)
            for ear in driver._ears.values():
                if ear.ear.ready:  # type: ignore[attr-defined]
                    ear.ear.take()  # type: ignore[attr-defined]
        spent = (time.process_time() - began) / len(sent) * 1e6
        await driver.finish()
        return spent

    return min(asyncio.run(run()) for _ in range(ROUNDS))


def main() -> None:
    sound = noise(FRAMES * FRAME, -50)
    sent = texts(sound)
    frames = [AudioReceived(Track.INBOUND, at, sound[at : at + FRAME]) for at in range(0, len(sound), FRAME)]
    floor = least(lambda: lambda: decoding(sent))
    stream = started_stream()
    long = PlayAudio(noise(1_600, -25))
    silence = mulaw.SILENCE * (CHUNK * 600)
    steps = {
        "decode (the floor)": floor,
        "decode, place, event": least(lambda: streaming(sent)),
        "keep": least(lambda: lambda: keeping(frames)),
        "cut into chunks": least(lambda: listening(frames)),
        "Call.handle(audio), deadline": least(lambda: handling(frames)),
        "driver: all of these": driving(sent),
        "Call.handle(evidence), deadline": least(lambda: weighing(frames)),
        "hear a chunk alone": least(lambda: evaluating(sound[: CHUNK * 60], 1)),
        "hear a chunk among 16": least(lambda: evaluating(sound[: CHUNK * 60], 16)),
        "hear a chunk among 64": least(lambda: evaluating(sound[: CHUNK * 60], 64)),
        "hear a quiet chunk among 64": least(lambda: evaluating(silence, 64)),
        "encode 200 ms": least(lambda: lambda: sum(bool(stream.encode(long)) for _ in range(1_000))),
    }
    print(f"{'step':<34}{'us':>8}{'x floor':>9}")
    for name, spent in steps.items():
        print(f"{name:<34}{spent:>8.2f}{spent / floor:>9.1f}")


if __name__ == "__main__":
    main()
