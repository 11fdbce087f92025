"""Every way to fail at every stage of real calls: what their callers hear, and what the log says. Run as a program, it
prints the table.

Each cell is a call of its own on one server, whose providers are OpenAI's over HTTP and WebSockets. What a caller
hears is told apart by its pitch: the local server hums each word at one of its own.
"""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from doors import plain, serving

from offhook.agent import Agent
from offhook.audio import mulaw
from offhook.call.config import Phrases
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.models.openai_responses import OpenAIResponsesModel
from offhook.providers.scripted import hum
from offhook.providers.transcribers.openai import OpenAITranscriber
from offhook.providers.transcribers.openai_realtime import RealtimeTranscriber
from offhook.providers.voices.openai import OpenAIVoice
from offhook.server.live import LiveEngine
from offhook.server.reception import IncomingCall
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.ledger import Ledger
from offhook.simulator.openai_server import Fault, LocalOpenAI, Pace, Script, Stage, Trouble
from offhook.simulator.report import CallReport
from offhook.simulator.ring import ring
from offhook.simulator.sounds import sound
from offhook.timebase import RATE, ms

KEY = "sk-a-key-that-nobody-may-read"
AT_ONCE = 60
SLOW = 2.5
"""Seconds."""
ANSWER, FILLER, APOLOGY, GOODBYE = "Certainly tomorrow.", "Moment.", "Sorry.", "Goodbye."
PITCHES = {"answer": (220, 250), "filler": (185, 200), "apology": (130, 155), "goodbye": (90, 120)}
"""In Hz."""
PHRASES = Phrases(
    apology=APOLOGY,
    filler=FILLER,
    unclear="What?",
    are_you_there="Hello?",
    idle_goodbye="Bye.",
    failure_goodbye=GOODBYE,
    not_connected="No.",
    time_is_up="Time.",
)


class Kind(StrEnum):
    """How long it is wrong, and whether somebody else is there."""

    ONCE = "once"
    """It is the only one, and is well again after a turn that failed."""
    DOWN = "down"
    """It is the only one, and stays as it is."""
    SPARE = "spare"
    """It stays as it is, and another one is well."""


STAGES: dict[str, tuple[Stage, str, Any]] = {
    "stt upload": (Stage.TRANSCRIPTION, "stt", lambda *given, **more: OpenAITranscriber(*given, stream=True, **more)),
    "stt realtime": (Stage.REALTIME, "stt", RealtimeTranscriber),
    "llm chat": (Stage.CHAT, "llm", OpenAIModel),
    "llm responses": (Stage.RESPONSES, "llm", OpenAIResponsesModel),
    "tts": (Stage.SPEECH, "tts", OpenAIVoice),
}
TROUBLES = (
    Trouble.REFUSE,
    Trouble.HANG,
    Trouble.SLOW,
    Trouble.GARBAGE,
    Trouble.CLOSE,
    Trouble.UNAUTHORIZED,
    Trouble.OVERLOADED,
    Trouble.BROKEN,
)


@dataclass(frozen=True)
class Cell:
    stage: str
    trouble: Trouble
    kind: Kind

    def __str__(self) -> str:
        return f"{self.stage}-{self.trouble}-{self.kind}".replace(" ", "-")


CELLS = [Cell(stage, trouble, kind) for trouble in TROUBLES for stage in STAGES for kind in Kind]


@dataclass(frozen=True)
class Turn:
    """What was heard between the end of an utterance and the next: what, and how many seconds after that end."""

    heard: tuple[tuple[float, str], ...]

    def first(self, *names: str) -> float | None:
        return next((at for at, name in self.heard if not names or name in names), None)


@dataclass(frozen=True)
class Outcome:
    """A call of a cell. `log` are the lines that name its provider or its stream; `asked` counts the requests that
    were made of the sick provider from the first turn on."""

    turns: tuple[Turn, ...]
    ended_by: str
    log: tuple[str, ...]
    asked: int
    problems: tuple[str, ...]


class Sick:
    """A provider's server: well, until it `falls_ill`."""

    def __init__(self, cell: Cell, stack: AsyncExitStack) -> None:
        self._cell = cell
        self._stack = stack
        self._server = LocalOpenAI(script())

    async def begin(self) -> None:
        await self._stack.enter_async_context(self._server)
        self._before = len(self._server.requests)

    @property
    def base_url(self) -> str:
        return self._server.base_url

    @property
    def asked(self) -> int:
        return len(self._server.requests) - self._before

    async def fall_ill(self) -> None:
        self._before = len(self._server.requests)
        stage, trouble = STAGES[self._cell.stage][0], self._cell.trouble
        if trouble is Trouble.REFUSE:
            await self._server.__aexit__(None, None, None)
            # Nobody else may get the port, and nobody listens there.
            self._held = self._stack.enter_context(socket.socket())
            self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.bind(("127.0.0.1", urlsplit(self.base_url).port or 0))
        elif stage is Stage.REALTIME and trouble in (Trouble.HANG, Trouble.SLOW):
            # The session is open before anybody speaks: it is the transcript that does not come, or comes late.
            late = SLOW if trouble is Trouble.SLOW else 1e6
            self._server.script = replace(self._server.script, transcription=Pace(late))
        else:
            after = 2 if stage in (Stage.CHAT, Stage.SPEECH) else 6 if stage is Stage.RESPONSES else 1
            fault = Fault(stage, trouble, after=after, seconds=SLOW)
            self._server.script = replace(self._server.script, faults=[fault])

    async def recover(self) -> None:
        if self._cell.trouble is Trouble.REFUSE:
            self._before -= len(self._server.requests)
            await self._server.__aenter__()
        self._server.script = script()


def script() -> Script:
    return Script(transcripts=lambda rate, samples: "have you a table", replies=[ANSWER], word_seconds=0.25, models=None)


class Matrix:
    """The server, its agents by the number that is called, and who is well."""

    def __init__(self, engine: LiveEngine, well: LocalOpenAI, stack: AsyncExitStack, log: list[str]) -> None:
        self.agents: dict[str, Agent] = {}
        self.port = 0
        self._engine, self._well, self._stack, self._log = engine, well, stack, log
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def answer(self, call: IncomingCall) -> Agent:
        return self.agents[call.to]

    async def play(self, cell: Cell) -> Outcome:
        async with self._turns:
            sick = Sick(cell, self._stack)
            await sick.begin()
            number = f"+1555{CELLS.index(cell):04}"
            agent = self.agents[number] = self._agent(cell, sick.base_url)
            await self._engine.prepare(agent)
            await sick.fall_ill()

            async def person(caller: SimulatedCaller) -> None:
                await caller.listen_until_quiet(0.3)
                for turn in range(3 if cell.kind is Kind.DOWN or cell.trouble is Trouble.UNAUTHORIZED else 2):
                    await speak_and_listen(caller)
                    if cell.kind is Kind.ONCE and turn == 0:
                        await sick.recover()
                await caller.pause(0.5)

            report = await ring(f"http://127.0.0.1:{self.port}/twilio/voice", person, called=number)
            names = f"{cell}:", f"…{report.identity.stream_id[-6:]} "
            log = tuple(line for line in self._log if any(name in f"{line}:" for name in names) or str(cell) in line)
            return Outcome(turns(report), report.ended_by, log, sick.asked, report.problems)

    def _agent(self, cell: Cell, base_url: str) -> Agent:
        where = {"api_key": KEY, "base_url": self._well.base_url}
        providers: dict[str, Any] = {
            "stt": [OpenAITranscriber("well", **where)],
            "llm": [OpenAIModel("well", **where)],
            "tts": [OpenAIVoice("well", **where)],
        }
        _, part, make = STAGES[cell.stage]
        sick = make(str(cell), api_key=KEY, base_url=base_url)
        providers[part] = [sick, *providers[part]] if cell.kind is Kind.SPARE else [sick]
        return Agent(greeting="Hello.", phrases=PHRASES, **providers)


async def speak_and_listen(caller: SimulatedCaller) -> None:
    """Say something, and wait until the agent has said more than filler and is quiet."""
    said = await caller.say(sound(mulaw.encode(np.frombuffer(hum("caller", RATE, 0.7), "<i2"))))
    start = said.end // 125
    while not (words := [each for each in recognised(caller.heard, start) if each[1] != "filler"]):
        await caller.pause(0.1)
    del words
    await caller.listen_until_quiet(0.6)


def recognised(ear: Ledger, start: int, end: int | None = None) -> list[tuple[float, str]]:
    """What is heard from a position on: seconds behind it, and what it is."""
    heard: list[tuple[float, str]] = []
    for span in ear.audible(ms(20), start):
        if end is not None and span.start >= end:
            break
        name = named(ear.between(span.start, span.end))
        if not heard or heard[-1][1] != name:
            heard.append(((span.start - start) / RATE, name))
    return heard


def named(audio: bytes) -> str:
    """What a hummed word belongs to."""
    padded = np.zeros(RATE)
    samples = mulaw.decode(audio).astype(float)[:RATE]
    padded[: len(samples)] = samples
    pitch = 80 + int(np.argmax(np.abs(np.fft.rfft(padded))[80:300]))
    return next((name for name, (low, high) in PITCHES.items() if low <= pitch <= high), f"{pitch} Hz")


def turns(report: CallReport) -> tuple[Turn, ...]:
    starts = [said.start // 125 for said in report.said[1:]]
    parts = zip(report.said, [*starts, None], strict=True)
    return tuple(Turn(tuple(recognised(report.ear, said.end // 125, end))) for said, end in parts)


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {self.format(record)}")


@contextmanager
def logged() -> Iterator[list[str]]:
    """All that Offhook logs meanwhile."""
    logger, handler = logging.getLogger("offhook"), _Lines()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield handler.lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


async def play(cells: Sequence[Cell] = CELLS) -> tuple[dict[Cell, Outcome], list[str]]:
    """All calls, and the whole log."""
    with logged() as log:
        async with AsyncExitStack() as stack:
            well = await stack.enter_async_context(LocalOpenAI(script()))
            engine = LiveEngine(plain(), Loudness())
            matrix = Matrix(engine, well, stack, log)
            server = await stack.enter_async_context(serving(matrix.answer, engine, max_calls=1_000))
            matrix.port = server.port
            outcomes = await asyncio.gather(*map(matrix.play, cells))
            await server.idle()
    return dict(zip(cells, outcomes, strict=True)), log


if __name__ == "__main__":
    import sys, time
    wanted = [cell for cell in CELLS if all(word in str(cell) for word in sys.argv[1:])]
    t = time.time()
    outcomes, log = asyncio.run(play(wanted))
    for cell, o in outcomes.items():
        print(cell, o.ended_by, o.asked, o.problems)
        for turn in o.turns:
            print("    ", turn.heard)
        for line in o.log:
            print("        ", line[:250])
    print(time.time() - t, time.process_time())
