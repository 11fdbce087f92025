"""The two tracks of a recorded call are what was said and what was heard, on one time line."""

import pytest
from kit import agent, call, speech, tell

from offhook.audio import mulaw
from offhook.call.recording import tracks
from offhook.call.tape import read
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.line import Line

REPLY = "We have a large room with a window and a small room without one."


async def conversation(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.5)
    await caller.say(speech("book a room"))
    await caller.agent_speaks()
    await caller.pause(1)
    await caller.say(speech("cough"))
    await caller.pause(1.5)
    await caller.say(speech("stop please"))
    await caller.listen_until_quiet(0.5)


def test_both_sides_as_they_were() -> None:
    told = tell(agent(REPLY, "Fine."), conversation)
    caller, ours = tracks(read(bytes(told.tape)))
    report = call(told)
    assert len(caller) == len(ours)
    assert caller == report.mouth.between(0, len(caller))
    assert ours == report.ear.between(0, len(ours))


@pytest.mark.parametrize("delay", [50, 200])
def test_from_afar_what_came_and_went_here(delay: int) -> None:
    """Both tracks are as late, or as early, as the line is long; the words are the same."""
    told = tell(agent(REPLY, "Fine."), conversation, line=Line(delay_ms=delay))
    caller, ours = tracks(read(bytes(told.tape)))
    report = call(told)
    shift = delay * 8
    assert caller[shift:] == report.mouth.between(0, len(caller) - shift)
    assert caller[:shift] == mulaw.SILENCE * shift
    assert ours[: len(ours) - shift] == report.ear.between(shift, len(ours))


def test_nothing_was_said() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.hang_up()

    told = tell(agent(), script)
    assert tracks(read(bytes(told.tape))) == (b"", b"")
