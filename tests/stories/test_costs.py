"""What calls cost, told as stories."""

from kit import agent, ears, speech, tell

from offhook.call.config import Limits, Phrases
from offhook.call.outputs import CallCosted, CallEnded
from offhook.call.usage import Rates
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal

PRICES = {
    "ScriptedTranscriber": Rates(heard_minute=0.006),
    "ScriptedModel": Rates(input=1.0, output=10.0),
    "ScriptedVoice": Rates(characters=15.0),
}


async def two_turns(caller: SimulatedCaller) -> None:
    for words in ("book a room", "two people please"):
        await caller.listen_until_quiet(0.8)
        await caller.say(speech(words))
    await caller.listen_until_quiet(0.8)


async def in_two_halves(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room"))
    await caller.pause(0.45)
    await caller.say(speech("for two people".replace("for ", "")))
    await caller.listen_until_quiet(0.8)


async def endless(caller: SimulatedCaller) -> None:
    while True:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("hello"))


def costed(told: Rehearsal) -> CallCosted:
    (_, cost), (_, end) = told.reports[-2:]
    assert isinstance(end, CallEnded)
    assert isinstance(cost, CallCosted)
    return cost


def test_a_call_says_what_it_took_just_before_it_ends() -> None:
    cost = costed(tell(agent("A large one?", "Done.", prices=PRICES), two_turns))
    assert cost.used.replies >= 2
    assert cost.used.speeches >= 3
    assert cost.used.characters >= len("Hello.A large one?Done.")
    assert cost.dollars is not None
    assert 0.0 <= (cost.dollars_wasted or 0.0) < cost.dollars < 0.01
    assert cost.lasted > 5_000_000


def test_work_that_was_begun_ahead_for_nothing_is_told_apart() -> None:
    quick = {"stt": ears(0.05)}
    ahead = costed(tell(agent("Fine.", prices=PRICES, **quick), in_two_halves))
    assert ahead.wasted.replies >= 1
    assert ahead.wasted.transcriptions >= 1
    patient = costed(tell(agent("Fine.", prices=PRICES, speculate=False, **quick), in_two_halves))
    assert patient.wasted.replies == 0
    assert patient.used.replies < ahead.used.replies


def test_without_prices_there_is_no_figure() -> None:
    assert costed(tell(agent("Fine."), two_turns)).dollars is None


def test_a_call_that_costs_too_much_ends_politely() -> None:
    told = tell(agent("And so on.", prices=PRICES, limits=Limits(spend=0.002)), endless)
    assert told.agent_said[-1] == Phrases().time_is_up
    end = told.reports[-1][1]
    assert isinstance(end, CallEnded)
    assert end.reason == "spend limit"
    cost = costed(told).dollars
    assert cost is not None
    assert 0.002 < cost < 0.004
