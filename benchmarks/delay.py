"""How long a caller waits for the reply, and how much of that is Offhook's own doing.

`python benchmarks/delay.py [--turns 20] [--client sdk] [--json]`. `offhook serve` runs in one process with an agent
that is as default as an agent can be, a server that speaks OpenAI's interfaces in another, and the caller in this one.
Between them are real sockets on this machine, and time is real. The stand-in takes as long as `STAGES` says.
docs/theory/delay.md tells how to read the figures.
"""

import argparse
import asyncio
import json
import math
import os
import re
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import stand_in
from stand_in import CLAUSE, FIRST_CLAUSE, REPLY, SAYS, STAGES, Answer, Stages

from offhook.call import replay, tape
from offhook.call.inputs import AudioReceived, ReplyText, TranscriptArrived, VoiceAudio
from offhook.call.outputs import AskModel, Output, Synthesize, Transcribe, UserSaid
from offhook.carrier.commands import PlayAudio
from offhook.simulator import sounds
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.load.material import spoken
from offhook.simulator.openai_server.log import Stage
from offhook.simulator.report import CallReport
from offhook.simulator.ring import ring
from offhook.timebase import SAMPLE_US

FRAME = 160
AGENT = """
from offhook import Agent

agent = Agent(
    instructions="You take bookings.",
    stt="openai/gpt-4o-mini-transcribe",
    llm="openai/gpt-4.1-mini",
    tts="openai/gpt-4o-mini-tts",
)
"""
SERVE = ("serve", "agent.py", "--port", "0", "--workers", "1", "--record", "calls", "--drain", "3")


class Turn(NamedTuple):
    """Milliseconds since the last sound of the caller was received, or between two of these moments."""

    began: float
    """To the request for a transcript: listening until it is likely that the caller has stopped."""
    transcription: float
    first_token: float
    clause: float
    first_audio: float
    handed_on: float
    """From the first audio to the first message to the carrier."""
    confirmed: float
    """To the end of the turn, by the wait that was chosen."""
    measured: float
    """To the first message of the reply to the carrier."""
    at_caller: float
    """The same, at the caller's end of the line."""
    outside: float
    """What all stages took in the stand-in, which is a little more than it was told."""

    @property
    def unavoidable(self) -> float:
        """What it would take if Offhook took no time: the work, or the wait, if that was longer."""
        return max(self.confirmed, self.began + self.outside)

    @property
    def share(self) -> float:
        """Offhook's own."""
        return self.measured - self.unavoidable


async def measure(turns: int, *, realtime_voice: bool, client: str) -> list[Turn]:
    """One call of so many turns."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "agent.py").write_text(AGENT)
        whole = await spoken(SAYS)
        words = sounds.sound(whole.mulaw[whole.start : whole.end], SAYS)

        async def script(caller: SimulatedCaller) -> None:
            for number in range(turns):
                await caller.pause(0.3 + 0.007 * (number % 5))
                await caller.say(words)
                await caller.agent_speaks(10)
                await caller.listen_until_quiet(0.6)

        pace = ["--realtime-voice"] if realtime_voice else []
        async with process(folder, "openai", stand_in.__file__, *pace) as openai:
            account = {"OPENAI_BASE_URL": openai.line.strip(), "OFFHOOK_OPENAI_CLIENT": client}
            async with process(folder, "offhook", "-m", "offhook.cli.main", *SERVE, **account) as offhook:
                match = re.search(r"http\S+", offhook.line)
                assert match is not None, offhook.line
                report = await ring(match[0], script)
        return timed(tape_in(folder / "calls"), report, [Answer(*each) for each in json.loads(openai.rest)])


def tape_in(folder: Path) -> tape.Tape:
    """That of the only call."""
    (file,) = folder.glob("*.tape")
    return tape.read(file.read_bytes())


def timed(recorded: tape.Tape, report: CallReport, answers: list[Answer]) -> list[Turn]:
    """The turns of a call, from its tape, from what its caller heard and from what the stand-in did."""
    steps = list(replay.play(recorded))
    onsets = [span.start * SAMPLE_US for span in report.ear.audible()]
    turns = []
    for said in report.said:
        sent = math.ceil(said.end / SAMPLE_US / FRAME) * FRAME * SAMPLE_US
        at_caller = (next(at for at in onsets if at > sent) - sent) / 1_000
        turns.append(turn(steps, said.end // SAMPLE_US, at_caller, answers))
    return turns


def turn(steps: list[replay.Played], end: int, at_caller: float, answers: list[Answer]) -> Turn:
    """What became of the utterance that ends at a sample."""
    heard = first(steps, 0, lambda step: received(step, end))
    replied = first(steps, heard, lambda step: gave(step, PlayAudio))
    asked = max(index for index in range(heard, replied) if gave(steps[index], Transcribe))
    transcript = first(steps, asked, lambda step: isinstance(step.input, TranscriptArrived) and step.input.final)
    token = first(steps, transcript, lambda step: isinstance(step.input, ReplyText))
    clause = first(steps, transcript, lambda step: gave(step, Synthesize))
    audio = first(steps, clause, lambda step: isinstance(step.input, VoiceAudio))
    over = first(steps, heard, lambda step: gave(step, UserSaid))
    at = [steps[index].now / 1_000 for index in (heard, asked, transcript, token, clause, audio, replied)]
    began, transcription, first_token, written, first_audio, handed_on = (later - one for one, later in pairwise(at))
    return Turn(
        *(began, transcription, first_token, written, first_audio, handed_on),
        confirmed=steps[over].now / 1_000 - at[0],
        measured=at[-1] - at[0],
        at_caller=at_caller,
        outside=sum(stages(steps[:replied], answers)),
    )


def stages(steps: list[replay.Played], answers: list[Answer]) -> Stages:
    """How long the stand-in took for the latest requests of a call: they stand in its log in the same order."""
    asked = [output for step in steps for output in step.outputs]
    ears = [answer for answer in answers if answer.stage == Stage.TRANSCRIPTION]
    mind = [answer for answer in answers if answer.stage == Stage.CHAT]
    voice = [answer for answer in answers if answer.spoken == FIRST_CLAUSE]
    heard = ears[sum(isinstance(output, Transcribe) for output in asked) - 1]
    written = mind[sum(isinstance(output, AskModel) for output in asked) - 1]
    spoken = voice[sum(isinstance(output, Synthesize) and output.text == FIRST_CLAUSE for output in asked) - 1]
    token = written.rest / (len(REPLY.split()) - 1)
    return Stages(heard.first, written.first, token * CLAUSE, spoken.first)


def first(steps: list[replay.Played], since: int, condition: Callable[[replay.Played], bool]) -> int:
    return next(index for index in range(since, len(steps)) if condition(steps[index]))


def gave(step: replay.Played, kind: type[Output]) -> bool:
    return any(isinstance(output, kind) for output in step.outputs)


def received(step: replay.Played, end: int) -> bool:
    """Whether with this step the caller's audio up to sample `end` was there."""
    audio = step.input
    return isinstance(audio, AudioReceived) and audio.position + len(audio.mulaw) >= end


class Process:
    """A Python process of its own: the first line that it writes and, when it has ended, what it wrote then."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.rest = ""


@asynccontextmanager
async def process(folder: Path, name: str, *arguments: str, **environment: str) -> AsyncIterator[Process]:
    errors = folder / f"{name}.log"
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("OPENAI_", "OFFHOOK_", "TWILIO_"))}
    with errors.open("wb") as log:
        running = await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env={**clean, "OPENAI_API_KEY": "none", "OFFHOOK_CACHE": str(folder / "cache"), **environment},
        )
        assert running.stdout is not None
        try:
            async with asyncio.timeout(30):
                line = (await running.stdout.readline()).decode()
            assert line, errors.read_text()
            begun = Process(line)
            yield begun
        finally:
            if running.returncode is None:
                running.terminate()
            rest, _ = await running.communicate()
        begun.rest = rest.decode()


def table(turns: list[Turn]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of each figure, in milliseconds."""

    def both(figures: list[float]) -> dict[str, float]:
        return {
            "median": round(statistics.median(figures), 1),
            "p95": round(statistics.quantiles(figures, n=20, method="inclusive")[-1], 1),
        }

    names = (*Turn._fields, "unavoidable", "share")
    return {name: both([getattr(turn, name) for turn in turns]) for name in names}


LABELS = (
    ("began", "speech has stopped, transcript asked for", None),
    ("transcription", "transcript", STAGES.transcription),
    ("first_token", "first token", STAGES.first_token),
    ("clause", f"first clause ({CLAUSE} words)", STAGES.clause),
    ("first_audio", "first audio", STAGES.first_audio),
    ("handed_on", "handed to the carrier", 0.0),
    ("measured", "delay", None),
    ("at_caller", "delay at the caller", None),
    ("confirmed", "turn over after", None),
    ("outside", "all stages, as the stand-in took them", sum(STAGES)),
    ("unavoidable", "unavoidable", None),
    ("share", "Offhook's own share", 0.0),
)


def show(name: str, figures: dict[str, dict[str, float]], turns: int) -> None:
    print(f"\n{f'{name}, {turns} turns, ms':<46}{'given':>18}{'median':>10}{'p95':>10}")
    for key, label, given in LABELS:
        stated = "" if given is None else f"{given:.0f}"
        print(f"  {label:<44}{stated:>20}{figures[key]['median']:>10.1f}{figures[key]['p95']:>10.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=20)
    parser.add_argument("--client", choices=("lean", "sdk"), default="lean", help="what asks the stand-in")
    parser.add_argument("--json", action="store_true", help="print all figures, and nothing else")
    asked = parser.parse_args()
    figures: dict[str, Any] = {}
    for name, realtime in (("a fast voice", False), ("a voice at real-time pace", True)):
        turns = asyncio.run(measure(asked.turns, realtime_voice=realtime, client=asked.client))
        figures[name] = {**table(turns), "turns": [turn._asdict() for turn in turns]}
        if not asked.json:
            show(name, figures[name], len(turns))
    if asked.json:
        print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
