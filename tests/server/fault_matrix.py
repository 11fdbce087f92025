"""Every way to fail at every stage of real calls: what their callers hear, and what the log says. Run as a program, it
prints the tables of docs/reference/failures.md.

Each cell is a call of its own on one server, whose providers are OpenAI's over HTTP and WebSockets; only the sick one
has a server to itself. What a caller hears is told apart by its pitch: the local server hums each word at one of its
own.
"""

import asyncio
import itertools
import logging
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import uvloop
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
from offhook.timebase import RATE, SAMPLE_US, ms

KEY = "sk-a-key-that-nobody-may-read"
SLOW, RETRY_AFTER = 2.5, 30.0
EVERY = 0.25
"""Seconds from call to call: so many at once that the machine is not what they wait for."""
FRAME = 320
"""Samples. 40 ms cost half of the carrier's 20."""
ANSWER = "Certainly tomorrow."
PHRASES = Phrases("Sorry.", "Moment.", "What?", "Hello?", "Bye.", "Goodbye.", "No.", "Time.")
PITCHES = {"answer": (220, 250), "filler": (185, 200), "apology": (130, 155), "goodbye": (95, 115)}
"""In Hz, of the reply and of three of the phrases."""
SCRIPT = Script(lambda rate, samples: "have you got a table", [ANSWER], word_seconds=0.25, models=None)


class Kind(StrEnum):
    """Who else is there, and for how long it is wrong."""

    ONCE = "once"
    """Nobody else, until the first turn has failed."""
    DOWN = "down"
    """Nobody else, for good."""
    SPARE = "spare"
    """Another provider, for good."""


STAGES: dict[str, tuple[Stage, str, Any]] = {
    "stt upload": (Stage.TRANSCRIPTION, "stt", lambda *given, **more: OpenAITranscriber(*given, stream=True, **more)),
    "stt realtime": (Stage.REALTIME, "stt", RealtimeTranscriber),
    "llm chat": (Stage.CHAT, "llm", OpenAIModel),
    "llm responses": (Stage.RESPONSES, "llm", OpenAIResponsesModel),
    "tts": (Stage.SPEECH, "tts", OpenAIVoice),
}
"""What is asked, which part of an agent it is, and its maker."""
TROUBLES = (
    *(Trouble.HANG, Trouble.SLOW, Trouble.REFUSE, Trouble.GARBAGE, Trouble.CLOSE),
    *(Trouble.UNAUTHORIZED, Trouble.OVERLOADED, Trouble.BROKEN),
)
_CLOSED_AFTER = {Stage.CHAT: 2, Stage.RESPONSES: 3, Stage.SPEECH: 2}
"""Pieces of an answer of which one is a word, or sound."""


@dataclass(frozen=True)
class Cell:
    stage: str
    trouble: Trouble
    kind: Kind

    @property
    def hopeless(self) -> bool:
        """Nobody can ever answer: the call ends when three turns have failed."""
        return self.kind is Kind.DOWN or (self.trouble is Trouble.UNAUTHORIZED and self.kind is Kind.ONCE)

    def __str__(self) -> str:
        return f"{self.stage}-{self.trouble}-{self.kind}".replace(" ", "-")


CELLS = [Cell(stage, Trouble.HANG, Kind.DOWN) for stage in STAGES] + [
    Cell(stage, trouble, kind)
    for trouble in TROUBLES
    for stage in STAGES
    for kind in Kind
    if kind is not Kind.DOWN or trouble is Trouble.BROKEN
]
"""Those that take longest come first. A trouble that stays is like any other: two are enough."""


@dataclass(frozen=True)
class Turn:
    """What was heard from the end of an utterance to the next: what, and how many seconds after that end."""

    heard: tuple[tuple[float, str], ...]

    @property
    def first(self) -> float:
        """When there was a sound."""
        return self.heard[0][0] if self.heard else float("inf")

    def at(self, name: str) -> float:
        """When this was heard."""
        return next((at for at, what in self.heard if what == name), float("inf"))

    def __str__(self) -> str:
        return ", ".join(f"{at:.1f} {name}" for at, name in self.heard)


@dataclass(frozen=True)
class Outcome:
    """The call of a cell. `log` are the lines that name its provider or its stream, `asked` counts what the provider
    was asked since it fell ill, `late` is by how many seconds the machine was late."""

    turns: tuple[Turn, ...]
    ended_by: str
    log: tuple[str, ...]
    asked: int
    late: float
    problems: tuple[str, ...]


class Patient:
    """A provider's server: well, ill, and perhaps well again."""

    def __init__(self, cell: Cell, stack: AsyncExitStack) -> None:
        self._stage, self._trouble, self._stack = STAGES[cell.stage][0], cell.trouble, stack
        self._server = LocalOpenAI(SCRIPT)

    async def begin(self) -> str:
        """Its address."""
        await self._stack.enter_async_context(self._server)
        return self._server.base_url

    async def fall_ill(self) -> None:
        self._well = len(self._server.requests)
        if self._trouble is Trouble.REFUSE:
            await self._server.__aexit__(None, None, None)
            # Nobody listens at the port, and nobody else can have it.
            held = self._stack.enter_context(socket.socket())
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", urlsplit(self._server.base_url).port or 0))
        elif self._stage is Stage.REALTIME and self._trouble in (Trouble.HANG, Trouble.SLOW):
            # The session opens before anybody speaks: it is the transcript that comes late, or never.
            late = Pace(SLOW if self._trouble is Trouble.SLOW else 1e6)
            self._server.script = replace(SCRIPT, transcription=late)
        else:
            seconds = SLOW if self._trouble is Trouble.SLOW else RETRY_AFTER
            fault = Fault(self._stage, self._trouble, after=_CLOSED_AFTER.get(self._stage, 1), seconds=seconds)
            self._server.script = replace(SCRIPT, faults=[fault])

    async def recover(self) -> None:
        if self._trouble is Trouble.REFUSE:
            await self._server.__aenter__()
        self._server.script = SCRIPT

    @property
    def asked(self) -> int:
        return len(self._server.requests) - self._well


class Matrix:
    """Whom each number is answered by, and the calls."""

    def __init__(self, engine: LiveEngine, stack: AsyncExitStack, well: str) -> None:
        self._engine, self._stack = engine, stack
        self._agents: dict[str, Agent] = {}
        self._patients: dict[Cell, Patient] = {}
        where: dict[str, Any] = {"api_key": KEY, "base_url": well}
        self._providers: dict[str, Any] = {
            "stt": OpenAITranscriber("well", **where),
            "llm": OpenAIModel("well", **where),
            "tts": OpenAIVoice("well", **where),
        }

    async def answer(self, call: IncomingCall) -> Agent:
        return self._agents[call.to]

    async def prepare(self, cell: Cell) -> None:
        """All are well, and the phrases are spoken ahead; then one falls ill."""
        patient = self._patients[cell] = Patient(cell, self._stack)
        _, part, make = STAGES[cell.stage]
        sick, well = make(str(cell), api_key=KEY, base_url=await patient.begin()), self._providers[part]
        listed = [sick, well] if cell.kind is Kind.SPARE else [sick]
        agent = Agent(greeting="Hello.", phrases=PHRASES, **{**self._providers, part: listed})
        self._agents[_number(cell)] = agent
        await self._engine.prepare(agent)
        await patient.fall_ill()

    async def play(self, cell: Cell, url: str, log: list[str]) -> Outcome:
        patient = self._patients[cell]

        async def person(caller: SimulatedCaller) -> None:
            await caller.listen_until_quiet(0.3)
            for turn in range(3 if cell.hopeless else 2):
                await _speak_and_listen(caller)
                if cell.kind is Kind.ONCE and turn == 0:
                    await patient.recover()
            await caller.pause(0.5)

        report = await ring(url, person, called=_number(cell), frame=FRAME)
        names = f"/{cell} ", f"/{cell}:", f":{cell} ", f":{cell}:", f"…{report.identity.stream_id[-6:]} "
        mine = tuple(line for line in log if any(name in line for name in names))
        late = max(report.lateness) / 1e6
        return Outcome(_turns(report), report.ended_by, mine, patient.asked, late, report.problems)


async def play(cache: Path, cells: Sequence[Cell] = CELLS) -> tuple[dict[Cell, Outcome], list[str]]:
    """All calls, and the whole log."""
    with _logged() as log:
        async with AsyncExitStack() as stack:
            well = await stack.enter_async_context(LocalOpenAI(SCRIPT))
            engine = LiveEngine(plain(), Loudness(), cache=cache)
            matrix = Matrix(engine, stack, well.base_url)
            server = await stack.enter_async_context(serving(matrix.answer, engine, max_calls=len(cells)))
            for cell in cells:
                await matrix.prepare(cell)

            async def later(index: int, cell: Cell) -> Outcome:
                await asyncio.sleep(index * EVERY)
                return await matrix.play(cell, f"{server.base}/twilio/voice", log)

            outcomes = await asyncio.gather(*itertools.starmap(later, enumerate(cells)))
            await server.idle()
    return dict(zip(cells, outcomes, strict=True)), log


def played(cache: Path, cells: Sequence[Cell] = CELLS) -> tuple[dict[Cell, Outcome], list[str]]:
    """The same on an event loop such as calls are served on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(play(cache, cells))


async def _speak_and_listen(caller: SimulatedCaller) -> None:
    """Say something, and wait until the agent has said more than filler and is quiet."""
    said = await caller.say(sound(mulaw.encode(np.frombuffer(hum("caller", RATE, 0.7), "<i2"))))
    while all(name == "filler" for _, name in _recognised(caller.heard, said.end // SAMPLE_US)):
        await caller.pause(0.1)
    await caller.listen_until_quiet(0.6)


def _turns(report: CallReport) -> tuple[Turn, ...]:
    ends = [*(said.start // SAMPLE_US for said in report.said[1:]), report.ear.end]
    parts = zip(report.said, ends, strict=True)
    return tuple(Turn(tuple(_recognised(report.ear, said.end // SAMPLE_US, end))) for said, end in parts)


def _recognised(ear: Ledger, start: int, end: int | None = None) -> list[tuple[float, str]]:
    """What is heard from a position on: seconds behind it, and what. Words that belong together count once."""
    heard: list[tuple[float, str]] = []
    for span in ear.audible(ms(20), start):
        if end is not None and span.start >= end:
            break
        name = _named(ear.between(span.start, span.end))
        if not heard or heard[-1][1] != name:
            heard.append(((span.start - start) / RATE, name))
    return heard


def _named(audio: bytes) -> str:
    """What a hummed word belongs to. What is too short to tell is part of an answer that broke off."""
    spectrum = np.abs(np.fft.rfft(mulaw.decode(audio[:RATE]).astype(float), RATE))
    pitch = 80 + int(np.argmax(spectrum[80:300]))
    return next((name for name, (low, high) in PITCHES.items() if low <= pitch <= high), f"{pitch} Hz")


def _number(cell: Cell) -> str:
    return f"+1555{CELLS.index(cell):04}"


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.levelname} {self.format(record)}")


@contextmanager
def _logged() -> Iterator[list[str]]:
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


def table(outcomes: dict[Cell, Outcome], kind: Kind) -> str:
    """The first turn of each cell."""
    rows = [["", *STAGES], ["---"] * (len(STAGES) + 1)]
    rows += [
        [trouble, *(str(outcomes[Cell(stage, trouble, kind)].turns[0]) for stage in STAGES)] for trouble in TROUBLES
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        outcomes, _ = played(Path(folder))
    for kind in (Kind.ONCE, Kind.SPARE):
        print(f"\n{kind}\n\n{table(outcomes, kind)}")
