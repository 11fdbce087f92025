"""A piece that fails while the one before it is still being spoken: nothing is in the history that had no sound."""

from kit import agent, call, speech, tell

from offhook.call.outputs import AgentSaid
from offhook.errors import Failure, ProviderError
from offhook.providers.scripted import ScriptedVoice
from offhook.simulator.caller import SimulatedCaller

REPLY = "We have a large room with a window and a small room without one. The second sentence fails at once here."


async def asks(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room"))
    await caller.listen_until_quiet(3)


def test_what_lies_behind_a_hole_is_not_told() -> None:
    fails = ProviderError(Failure.BROKEN, "no")
    voice = ScriptedVoice(delay=0.1, realtime=True, errors=[None, None, fails])
    told = tell(agent(REPLY, tts=voice), asks)
    words = sum(len(report.text.split()) for _, report in told.reports if isinstance(report, AgentSaid))
    heard = sum(len(piece) for _, piece in call(told).ear.pieces()) / 2_400
    assert words <= heard + 1
