"""Replay: the same outputs, step by step; or the same story under another configuration."""

import msgspec
import pytest
from kit import agent, speech, tell

from offhook.call.outputs import AgentSaid, UserSaid
from offhook.call.replay import first_difference, play, same_story, story
from offhook.call.tape import Tape, read
from offhook.providers.scripted import ScriptedModel
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Attentive
from offhook.simulator.line import Line
from offhook.timebase import Instant, ms
from offhook.turns.patience import Patience

REPLY = "We have a large room with a window and a small room without one."


async def conversation(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.5)
    await caller.say(speech("book a room"))
    await caller.agent_speaks()
    await caller.pause(1)
    await caller.say(speech("cough"))
    await caller.pause(1.5)
    await caller.say(speech("no wait stop"))
    await caller.listen_until_quiet(0.5)
    await caller.press("1")
    await caller.pause(1)


def taped(**settings: object) -> Tape:
    told = tell(agent(llm=ScriptedModel([REPLY, "Fine.", "One."])), conversation, **settings)
    return read(bytes(told.tape))


@pytest.fixture(scope="module")
def tape() -> Tape:
    return taped()


def test_a_call_replays_exactly(tape: Tape) -> None:
    assert len(tape.steps) > 500
    assert first_difference(tape) is None


def test_a_call_with_live_hearing_over_a_bad_line_replays_exactly() -> None:
    tape = taped(hearing=Attentive(), line=Line(delay_ms=30, jitter_ms=60, loss=0.02, seed=7))
    assert first_difference(tape) is None


def test_the_first_difference_is_found(tape: Tape) -> None:
    number = next(step.number for step in play(tape) if any(isinstance(output, UserSaid) for output in step.outputs))
    steps = list(tape.steps)
    steps[number] = msgspec.structs.replace(steps[number], digest=1)
    steps[-1] = msgspec.structs.replace(steps[-1], digest=2)
    difference = first_difference(Tape(tape.header, steps))
    assert difference is not None
    assert difference.step.number == number
    assert difference.step.now == steps[number].now
    assert (difference.recorded, difference.replayed) == (1, tape.steps[number].digest)
    assert any(isinstance(output, UserSaid) for output in difference.step.outputs)


def test_a_lost_input_shows(tape: Tape) -> None:
    number = next(n for n, step in enumerate(tape.steps) if type(step.input).__name__ == "TranscriptArrived")
    assert first_difference(Tape(tape.header, tape.steps[:number] + tape.steps[number + 1 :])) is not None


def test_a_story_is_like_itself(tape: Tape) -> None:
    told = story(tape)
    assert next(beat.text for _, beat in told if isinstance(beat, AgentSaid)) == "Hello."
    assert same_story(told, told)
    later = [(Instant(when + ms(99)), beat) for when, beat in told]
    assert same_story(told, later)
    assert not same_story(told, later, ms(98))
    assert not same_story(told, told[:-1])
    assert not same_story(told, [*told[:-1], (told[-1][0], AgentSaid("Other words.", complete=True))])


def test_another_patience_tells_another_story(tape: Tape) -> None:
    config = tape.header.config
    assert same_story(story(tape), story(tape, config))
    impatient = msgspec.structs.replace(config, patience=Patience(pause=ms(200)))
    assert not same_story(story(tape), story(tape, impatient))
    idle = msgspec.structs.replace(config, patience=Patience(idle=ms(30_000)))
    assert same_story(story(tape), story(tape, idle))
