"""Five minutes of conversation pass in a moment."""

from collections.abc import Callable

import pytest
from kit import agent, call, speech, tell

from effort import measured
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


@pytest.mark.parametrize(("hearing", "limit"), [(Loudness, 45), (Attentive, 110)])
def test_five_minutes_pass_in_a_moment(hearing: Callable[[], Hearing], limit: float) -> None:
    """Within 2.7 seconds, 6.6 with real hearing, of a machine that does a yardstick in 0.06."""
    ears = hearing()
    told, effort = measured(lambda: tell(agent(REPLY, patience=patience(idle=400)), talkative, hearing=ears))
    assert effort.yardsticks < limit, effort
    assert call(told).ended_at > FIVE_MINUTES


def test_a_call_is_replayed_in_less_time_still() -> None:
    tape = read(bytes(tell(agent(REPLY), talkative).tape))
    call = Call(tape.header.config)

    def fold() -> None:
        for step in tape.steps:
            call.handle(Instant(step.now), step.input)

    assert measured(fold)[1].yardsticks < 10
