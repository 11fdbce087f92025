"""History holds the words that were played: callers break in at every part of a reply, over all kinds of lines and voices.

The voices here do not say where their words lie. What was played is read at the caller's ear, to the sample.
"""

import asyncio
from bisect import bisect_right
from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import accumulate
from random import Random
from typing import NamedTuple

import numpy as np
from kit import asked, call, ears, speech

from offhook import Agent
from offhook.audio import mulaw, wav
from offhook.call.outputs import AgentSaid
from offhook.providers.scripted import ScriptedModel, hum
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.line import Line
from offhook.simulator.rehearsal import rehearse
from offhook.simulator.report import CallReport
from offhook.timebase import SAMPLE_US, Instant, ms
from recordings import AUDIO, needs_recordings

RUNS = 200
FRACTIONS = (0.05, 0.25, 0.5, 0.75, 0.95)
Sounds = Callable[[Random, str], bytes]
PACES = (None, 1.0, 1.3, 4.0)
"""How many times faster than it is listened to a voice delivers; None: all at once."""
CHUNK = 400
LATE = ms(250)
"""A message is on its way for so long at most, and the next reply takes longer."""
SENTENCES = """Of course, I can tell you more about that.
We have a large room with a window and a small room without one on the second floor.
The restaurant is open from eight in the morning until half past eleven at night, seven days a week.
Unfortunately, the technician who is responsible for your neighbourhood is not available before Thursday afternoon.
There are three things you can do: restart the router, check the cable, or ask for a replacement.
It is a bit of a walk, so you may want to take the bus, the tram or a taxi to get up there.
If you would like to cancel, please let us know in time.
The total comes to one hundred and forty five dollars and thirty cents, including taxes.
Our representatives are internationally experienced communications professionals.
No problem at all.""".splitlines()
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


class Break(NamedTuple):
    """What one interruption came to, in words: those that the history holds, and those that were played whole."""

    told: int
    played: int
    begun: bool
    """Of every sentence that the history holds something was heard."""


class SpeakingVoice:
    """Says each word as `sound` makes it, and nothing about where words lie. Comes in pieces of 50 ms, `pace` times
    faster than they last.
    """

    rate = 8_000

    def __init__(self, sound: Sounds, pace: float | None, seed: int) -> None:
        self._sound, self._pace, self._seed = sound, pace, seed

    def words(self, text: str) -> list[bytes]:
        """The mu-law of each word, pauses included. A word always sounds the same."""
        return [self._sound(Random(f"{self._seed} {word}"), word) for word in text.split()]

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        await asyncio.sleep(0.1)
        sound = b"".join(self.words(text))
        for at in range(0, len(sound), CHUNK):
            yield mulaw.decode(sound[at : at + CHUNK]).tobytes()
            if self._pace is not None:
                await asyncio.sleep(CHUNK / self.rate / self._pace)

    async def ready(self) -> None:
        """Always ready."""

    async def aclose(self) -> None:
        """Nothing to let go of."""


def hummed(random: Random, word: str) -> bytes:
    """Longer words take longer, more or less; a clause is followed by a pause."""
    seconds = (0.1 + 0.05 * len(word.strip(",.:"))) * random.uniform(0.75, 1.35)
    pause = random.randint(800, 2_400) if word[-1] in ",.:" else 0
    return mulaw.encode(np.frombuffer(hum(word, 8_000, seconds), "<i2")) + mulaw.SILENCE * pause


def dictated(random: Random, word: str) -> bytes:
    """A digit as somebody said it; other words are hummed."""
    assert AUDIO is not None
    if word.strip(",.") not in DIGITS:
        return hummed(random, word)
    digit = DIGITS.index(word.strip(",."))
    take = AUDIO / "digits" / f"{digit}_theo_{random.randrange(25)}.wav"
    rate, pcm = wav.read(take.read_bytes())
    assert rate == 8_000
    return mulaw.encode(pcm) + mulaw.SILENCE * (random.randint(800, 2_400) if word[-1] in ",." else 0)


def sentences(random: Random) -> str:
    return " ".join(random.sample(SENTENCES, random.randint(3, 5)))


def numbers(random: Random) -> str:
    return " ".join(", ".join(" ".join(random.choices(DIGITS, k=4)) for _ in range(3)) + "." for _ in range(3))


def break_in(seed: int, sound: Sounds, text: Callable[[Random], str]) -> Break:
    """One call in which the caller asks, listens to a part of the reply, and says "stop please"."""
    random = Random(seed)
    fraction, pace = FRACTIONS[seed % len(FRACTIONS)], PACES[seed // len(FRACTIONS) % len(PACES)]
    reply = text(random)
    voice = SpeakingVoice(sound, pace, seed)
    lasts = sum(map(len, voice.words(reply))) / voice.rate
    line = Line(random.uniform(0, 150), random.uniform(0, 60), random.uniform(0, 0.02), seed=seed)

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.agent_speaks()
        await caller.pause(fraction * lasts)
        await caller.say(speech("stop please"))
        await caller.listen_until_quiet(2)

    model = ScriptedModel([reply, "Fine."])
    agent = Agent(greeting="Hello.", stt=ears(), llm=model, tts=voice)
    told = rehearse(agent, script, hearing=Loudness(), line=line)
    said_at, said = next((at, it) for at, it in told.reports if isinstance(it, AgentSaid) and it.text != "Hello.")
    words = said.text.split()
    assert words == reply.split()[: len(words)]
    assert [message.text for message in asked(model)[-1]][2:3] in ([said.text], ["stop please"], [])
    reached = samples_played(call(told), Instant(said_at + LATE))
    ends = list(accumulate(map(len, voice.words(reply))))
    last = max((n for n, word in enumerate(words[:-1]) if word[-1] in ".:"), default=-1)
    return Break(len(words), bisect_right(ends, reached), last < 0 or reached > ends[last])


def samples_played(report: CallReport, until: Instant) -> int:
    """How much of a reply was played until then. Nothing may have been held and gone on with."""
    start = report.said[0].end // SAMPLE_US
    stop = next((cleared.at for cleared in report.cleared), until) // SAMPLE_US
    played = sum(len(piece) for _, piece in report.ear.pieces(start, until // SAMPLE_US))
    assert played == sum(len(piece) for _, piece in report.ear.pieces(start, stop)), "the reply was gone on with"
    return played


def distribution(breaks: list[Break]) -> str:
    """What a failure says: how far the history was off, in words, and how often."""
    counts = Counter(each.told - each.played for each in breaks)
    return ", ".join(f"{off:+d} words: {count}" for off, count in sorted(counts.items()))


def hold_to_it(breaks: list[Break]) -> None:
    assert len(breaks) == RUNS
    assert all(each.begun for each in breaks)
    assert sum(abs(each.told - each.played) <= 1 for each in breaks) >= 0.99 * RUNS, distribution(breaks)


def test_words_of_all_lengths() -> None:
    hold_to_it([break_in(seed, hummed, sentences) for seed in range(RUNS)])


@needs_recordings
def test_recorded_words() -> None:
    hold_to_it([break_in(seed, dictated, numbers) for seed in range(RUNS)])
