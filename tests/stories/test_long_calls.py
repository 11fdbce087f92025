"""Five minutes of conversation pass in a moment."""

import time
from collections.abc import Callable

import pytest
from kit import agent, call, speech, tell

from offhook.agent import patience
from offhook.call.call import Call
from offhook.call.tape import read
from offhook.runtime.ear import Hearing
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Attentive, Loudness
from offhook.timebase import Instant, seconds

pytestmark = pytest.mark.wall_clock

FIVE_MINUTES = seconds(300)
REPLY = "We have a large room with a window and a small room without one on the second floor."


async def talkative(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    while caller.now < FIVE_MINUTES:
        for words in ("book a room please", "what about tomorrow then"):
            await caller.say(speech(words))
            await caller.pause(2.5)
            await caller.say(speech("cough"))
            await caller.pause(2.5)
            await caller.say(speech("no wait stop"))
            await caller.pause(6.5)


@pytest.mark.parametrize(("hearing", "limit"), [(Loudness, 2.0), (Attentive, 6.0)])
def test_five_minutes_pass_in_a_moment(hearing: Callable[[], Hearing], limit: float) -> None:
    """In seconds of this machine's work, which other work beside it does not lengthen."""
    ears = hearing()
    began = time.process_time()
    told = tell(agent(REPLY, patience=patience(idle=400)), talkative, hearing=ears)
    assert time.process_time() - began < limit
    assert call(told).ended_at > FIVE_MINUTES


def test_a_call_is_replayed_in_less_time_still() -> None:
    tape = read(bytes(tell(agent(REPLY), talkative).tape))
    call = Call(tape.header.config)
    began = time.process_time()
    for step in tape.steps:
        call.handle(Instant(step.now), step.input)
    assert time.process_time() - began < 0.6
