"""Ten turns with the receptionist: the real command, a caller on a real WebSocket, and a local server in OpenAI's
place, about as slow as OpenAI is. It is one call, made once; each test looks at it in its own way.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from offhook.call import replay
from offhook.call.inputs import ToolCalled
from offhook.call.outputs import (
    AskModel,
    Cancel,
    Interrupted,
    RunTool,
    Synthesize,
    ToolUsed,
    Transcribe,
    TurnTimed,
    UserSaid,
)
from offhook.call.replay import Played
from offhook.call.tape import Tape
from offhook.simulator import sounds
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.ledger import Span
from offhook.simulator.openai_server import LocalOpenAI, Pace, Request, Script, Stage, ToolUse, Turn
from offhook.simulator.report import CallReport
from offhook.simulator.ring import ring
from offhook.simulator.sounds import Sound
from offhook.timebase import SAMPLE_US, Instant, ms
from recordings import AUDIO
from served import Served, serving
from spoken import Words, synthesize

pytestmark = pytest.mark.wall_clock

TURNS = (
    ("hello",),
    ("find tables", "free tonight"),
    ("reserve one", "for eight o'clock"),
    ("read your menu",),
    ("stop describe desserts",),
    ("have they nuts",),
    ("no never mind",),
    ("tell opening times",),
    ("check my number",),
    ("please give directions",),
)
"""What the caller says, with the pauses inside a turn. Each word is said once."""
BACKCHANNEL = "yeah"
LONG = " ".join(f"Number {number} is a dish of the day with bread." for number in range(20))
WRONG = ToolUse("book", '{"at":"18:00","people":2}')
"""What the model would do if the caller said no more than "reserve one"."""
RIGHT = ToolUse("book", '{"at":"20:00","people":4}')

REPLIES: dict[str, Turn | tuple[Turn, Turn]] = {
    "hello": Turn("Of course. What then?"),
    "tables": Turn("Tables we have."),
    "tonight": (Turn("Let me look.", (ToolUse("free_tables", '{"people":2}'),)), Turn("There is one at six.")),
    "one": (Turn(tools=(WRONG,)), Turn("Booked at six.")),
    "o'clock": (Turn(tools=(RIGHT,)), Turn("Your table for four at eight is booked.")),
    "menu": Turn(LONG),
    "desserts": Turn("There is cake and there is ice cream."),
    "nuts": (
        Turn("I will ask.", (ToolUse("ask_the_kitchen", '{"question":"nuts"}'),)),
        Turn("The kitchen says gladly."),
    ),
    "mind": Turn("All right, we forget it."),
    "times": Turn("We are open from noon to midnight on every day of the week but Monday, when all of us sleep."),
    "number": (Turn(tools=(ToolUse("find_booking"),)), Turn("never said: it waits for the digits")),
    "for]": Turn("It is for two people at six."),
    "directions": Turn(LONG),
}
"""By the last word of the caller: the reply, and where it asks for a tool, what is said when that has returned."""


def reply(messages: list[Mapping[str, Any]]) -> Turn:
    """The language model."""
    at = max(index for index, message in enumerate(messages) if message["role"] == "user")
    returned = any(message["role"] == "tool" for message in messages[at:])
    turn = REPLIES.get(messages[at]["content"].split()[-1], Turn("Go on."))
    return turn if isinstance(turn, Turn) else turn[returned]


@dataclass
class Held:
    """The call, and all that it left behind."""

    heard: list[str] = field(default_factory=list)
    """What each transcription said."""
    requests: list[Request] = field(default_factory=list)
    """The local server's log, in instants of the call."""
    running: list[Request] = field(default_factory=list)
    """What the local server was still doing a little after the caller had hung up."""

    report: CallReport = field(init=False)
    served: Served = field(init=False)
    tape: Tape = field(init=False)
    steps: list[Played] = field(init=False)

    def of(self, stage: Stage) -> list[Request]:
        return [request for request in self.requests if request.stage is stage]

    def outputs(self, kind: type) -> list[tuple[Instant, Any]]:
        """What the call wanted or made known, by its tape."""
        return [(step.now, output) for step in self.steps for output in step.outputs if isinstance(output, kind)]

    @property
    def spoken(self) -> list[Span]:
        """Stretches of the caller's sound; between two of them lies a pause."""
        return self.report.mouth.audible(ms(60))

    def pause_of(self, instant: int) -> int:
        """Behind which stretch of sound an instant lies."""
        return sum(span.end * SAMPLE_US <= instant for span in self.spoken)


async def script(caller: SimulatedCaller, words: Words) -> None:
    async def say(text: str) -> None:
        await caller.say(words.say(text))

    for turn, pause, quiet in (TURNS[0], 0, 0.35), (TURNS[1], 0.4, 0.35), (TURNS[2], 1.1, 0.9), (TURNS[3], 0, 0.35):
        await caller.listen_until_quiet(quiet)
        for number, part in enumerate(turn):
            await caller.pause(pause if number else 0)
            await say(part)
    await caller.agent_speaks()  # the menu, which is long
    await caller.pause(0.8)  # more than may have been heard of a reply for a turn to be re-opened
    await say(*TURNS[4])
    await caller.listen_until_quiet(0.35)
    await say(*TURNS[5])
    await caller.listen_until_quiet(0.35)
    await caller.agent_speaks()  # the filler: the kitchen takes four seconds
    await caller.pause(0.1)
    await say(*TURNS[6])
    await caller.listen_until_quiet(0.35)
    await say(*TURNS[7])
    await caller.agent_speaks()
    await caller.pause(0.4)
    await say(BACKCHANNEL)
    await caller.pause(0.6)
    await caller.say(cough())
    await caller.listen_until_quiet(0.35)
    await say(*TURNS[8])
    await caller.listen_until_quiet(0.35)
    await caller.press("1234")
    await caller.listen_until_quiet(0.35)
    await say(*TURNS[9])
    await caller.agent_speaks()
    await caller.pause(0.3)
    await caller.hang_up()


def cough() -> Sound:
    """A real one where there is one."""
    if AUDIO is not None:
        return sounds.from_file(next(iter(sorted((AUDIO / "cough").glob("*.wav")))), "a cough")
    burst = np.random.default_rng(3).standard_normal(2_400) * 6_000 * np.exp(-np.arange(2_400) / 800)
    return sounds.from_pcm(burst.astype(np.int16), 8_000, "a cough")


async def hold(words: Words, folder: Path) -> Held:
    held = Held()

    def hear(rate: int, samples: NDArray[np.int16]) -> str:
        held.heard.append(words.find(rate, samples))
        return held.heard[-1]

    paced = Script(
        transcripts=hear,
        replies=reply,
        transcription=Pace(0.2, 0.02),
        reply=Pace(0.3, 0.02),
        speech=Pace(0.1),
        word_seconds=0.12,
    )
    async with LocalOpenAI(paced) as openai, serving("receptionist", folder, openai.base_url) as served:
        before, zero = len(openai.requests), 0

        async def timed(caller: SimulatedCaller) -> None:
            nonlocal zero
            zero = openai.requests.clock() - caller.now
            await script(caller, words)

        held.report = await ring(served.webhook, timed)
        await served.logs("end")
        await asyncio.sleep(0.25)  # until a closed connection must have been noticed
        held.running = list(openai.requests.running)
        held.requests = [_moved(request, zero) for request in openai.requests[before:]]
        held.served = served
    held.requests = [request for request in held.requests if request.began >= 0 and request.stage is not Stage.MODELS]
    [held.tape] = served.tapes()
    held.steps = list(replay.play(held.tape))
    return held


def _moved(request: Request, zero: int) -> Request:
    """A request in instants of the call."""
    request.began = Instant(request.began - zero)
    request.ended = None if request.ended is None else Instant(request.ended - zero)
    return request


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    words = synthesize([*(part for turn in TURNS for part in turn), BACKCHANNEL])
    return asyncio.run(hold(words, tmp_path_factory.mktemp("call")))


def test_what_was_said_and_heard(held: Held) -> None:
    assert held.report.problems == ()
    assert held.report.ended_by == "caller"
    assert held.served.exit_code == 0
    assert held.served.said("user said") == [
        *(" ".join(turn) for turn in TURNS[:9]),
        "[gave the digits that were asked for]",
        *TURNS[9],
    ]
    heard = [(line["text"], line["complete"]) for line in held.served.log("agent said")]
    assert [text for text, complete in heard if complete] == [
        "Hello, this is Bella's. How can I help you?",
        "Of course. What then?",
        "Let me look. There is one at six.",
        "Your table for four at eight is booked.",
        "There is cake and there is ice cream.",
        "All right, we forget it.",
        "We are open from noon to midnight on every day of the week but Monday, when all of us sleep.",
        "Please key in the four digits of your booking.",
        "It is for two people at six.",
    ]
    menu, kitchen, directions = (text for text, complete in heard if not complete)
    assert LONG.startswith(menu)
    assert LONG.startswith(directions)
    assert "I will ask. One moment, please.".startswith(kitchen)


def test_the_caller_was_let_in_when_interrupting_and_only_then(held: Held) -> None:
    assert [text for _, text in _texts(held, Interrupted)] == [
        line["text"] for line in held.served.log("agent said") if not line["complete"]
    ][:2]
    turns = {turn.said.label: turn for turn in held.report.turns}
    for interruption in (TURNS[4], TURNS[6]):
        turn = turns[interruption[0]]
        assert turn.stop_time is not None
        assert turn.stop_time < ms(500)
        assert turn.stale == 0


def test_nobody_waited_long(held: Held) -> None:
    """200 ms for the transcript, 300 ms to the first token, 100 ms to the first audio; the rest is ours, and the
    machine's. A voice that is put together of single words never comes to rest, so it is waited for `pause`: 1.5 s."""
    played = sorted(timed.played for _, timed in held.outputs(TurnTimed))
    assert len(played) == len(TURNS)
    assert played[len(played) // 2] < ms(1_900)


def test_silence_is_not_transcribed(held: Held) -> None:
    asked = [request.asked for request in held.of(Stage.TRANSCRIPTION)]
    assert min(each["peak"] for each in asked if each) > 1_000
    assert sum(text == "" for text in held.heard) <= 3, "a cough may be heard, and more of it, but holds no words"


def test_a_pause_costs_one_request_a_stage_at_most(held: Held) -> None:
    """On top of what the turn needs: the caller may go on. What is said over us is looked at up to three times more."""
    inside, over = _pauses(held)
    asked = Counter((held.pause_of(request.began), request.stage) for request in held.requests)
    for pause in range(len(held.spoken) + 1):
        turn = over.get(pause, "")
        needed = {Stage.TRANSCRIPTION: bool(turn), Stage.CHAT: _rounds(turn)}
        for stage, count in needed.items():
            looks = 3 if stage is Stage.TRANSCRIPTION and turn in ("menu", "nuts", "times", "") else 0
            assert asked[pause, stage] <= count + 1 + looks, (pause, stage, turn)
        spoken = [request.asked["input"] for request in held.of(Stage.SPEECH) if held.pause_of(request.began) == pause]
        strange = [text for text in spoken if text not in _words_of(turn)]
        assert len(strange) <= 1, (turn, strange)
        assert max(Counter(spoken).values(), default=0) <= 1
    assert [asked[pause, Stage.CHAT] for pause in inside] == [1, 1], "the machine did begin ahead of time"


def test_what_was_cancelled_was_closed(held: Held) -> None:
    assert held.running == []
    assert all(request.ended is not None for request in held.requests)
    assert max(request.ended or 0 for request in held.requests) < held.report.ended_at + ms(500)
    stages = {Transcribe: Stage.TRANSCRIPTION, AskModel: Stage.CHAT, Synthesize: Stage.SPEECH}
    stage_of = {out.request: stage for kind, stage in stages.items() for _, out in held.outputs(kind)}
    for at, cancel in held.outputs(Cancel):
        before = [request for request in held.of(stage_of[cancel.request]) if request.began < at - ms(50)]
        assert not [request for request in before if (request.ended or 0) > at + ms(300)]
    cancelled = {request.asked["messages"][-1]["content"] for request in held.of(Stage.CHAT) if request.cancelled}
    assert cancelled >= {*TURNS[3], *TURNS[9]}, (
        "one reply was interrupted, and one was hung up on, while it was written"
    )


def test_each_turn_is_used_once(held: Held) -> None:
    last = held.of(Stage.CHAT)[-1].asked["messages"]
    users = [message["content"] for message in last if message["role"] == "user"]
    assert [text for text in users if not text.startswith("[")] == [" ".join(turn) for turn in TURNS]


def test_no_tool_was_used_before_its_turn_was_over(held: Held) -> None:
    used = [(run.call.name, run.call.arguments) for _, run in held.outputs(RunTool)]
    assert used == [
        (tool.name, tool.arguments) for turn in REPLIES.values() if isinstance(turn, tuple) for tool in turn[0].tools
        if tool is not WRONG
    ]  # fmt: skip
    wanted = [step.input.call.arguments for step in held.steps if isinstance(step.input, ToolCalled)]
    assert WRONG.arguments in wanted, "it was asked for in the pause"
    over = [at for at, _ in held.outputs(UserSaid)]
    for at, run in held.outputs(RunTool):
        confirmed = max(instant for instant in over if instant <= at)
        assert not [span for span in held.spoken if confirmed < span.start * SAMPLE_US < at], run
        assert held.pause_of(at) in _pauses(held)[1], run
        assert at >= held.spoken[held.pause_of(at) - 1].end * SAMPLE_US + ms(384), "the shortest wait there is"
    returned = {tool.name: at for at, tool in held.outputs(ToolUsed)}
    interrupted = [at for at, _ in held.outputs(Interrupted)]
    assert any(at < returned["ask_the_kitchen"] for at in interrupted[1:]), "that tool was let finish"


def test_the_call_can_be_replayed(held: Held) -> None:
    assert replay.first_difference(held.tape) is None


def _texts(held: Held, kind: type) -> list[tuple[Instant, str]]:
    return [(at, output.text) for at, output in held.outputs(kind)]


def _pauses(held: Held) -> tuple[list[int], dict[int, str]]:
    """The pauses that the script makes inside turns, and those with which turns end: by their last word."""
    ends = {said.label: held.pause_of(said.end + 1_000) for said in held.report.said}
    return [ends[part] for turn in TURNS for part in turn[:-1]], {
        ends[turn[-1]]: turn[-1].split()[-1] for turn in TURNS
    }


def _rounds(turn: str) -> int:
    """How often the model has to be asked about a turn, by its last word. The kitchen's answer comes too late."""
    return 0 if not turn else 2 if isinstance(REPLIES[turn], tuple) and turn != "nuts" else 1


def _words_of(turn: str) -> str:
    """All that is said to a turn."""
    replies = REPLIES.get(turn, Turn())
    said = " ".join(each.text for each in (replies if isinstance(replies, tuple) else (replies,)))
    return f"{said} {REPLIES['for]'].text} Please key in the four digits of your booking." if turn == "number" else said  # type: ignore[union-attr]
