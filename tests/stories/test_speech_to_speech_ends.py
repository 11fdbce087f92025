"""Stories of an agent with a speech model: what fails, hanging up at any moment, and what it costs."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import ears, rich, speech, voiced
from speech_kit import DOWN, LOOK, REPLY, Told, looking, one_question, speaking

from offhook.call.config import Limits, Phrases
from offhook.call.outputs import CallCosted
from offhook.call.usage import Rates
from offhook.providers.scripted import Breaks, ScriptedModel, ScriptedVoice, Uses
from offhook.simulator.caller import SimulatedCaller
from offhook.timebase import seconds


@pytest.mark.parametrize("fault", [DOWN, Breaks("We have", DOWN)])
def test_a_reply_that_fails_is_made_up_for(fault: Exception | Breaks) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await one_question(caller)
        await caller.say(speech("a room"))
        await caller.listen_until_quiet(2.0)

    apology = Phrases().apology
    told = Told(speaking(fault, "Fine."), script)
    assert told.agent_said[-2:] == [apology, "Fine."]
    assert any("nobody is there" in warning for warning in told.rehearsal.warnings)


def test_a_model_that_never_answers_is_given_up() -> None:
    apology = Phrases().apology
    told = Told(
        speaking(mind=ScriptedModel(hang=True), limits=Limits(reply=seconds(2), answer=seconds(3))),
        one_question,
        recordings={apology: voiced(apology)},
    )
    assert told.agent_said[1] == apology


def test_a_voice_that_fails_for_the_greeting() -> None:
    told = Told(speaking("Fine.", voice=ScriptedVoice(delay=0.01, errors=[DOWN])), one_question)
    assert told.agent_said[-1] == "Fine."


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_caller_may_hang_up_at_any_moment(abruptly: bool) -> None:
    for step in range(27):

        async def script(caller: SimulatedCaller, after: float = step * 0.71 + 0.007) -> None:
            talking = asyncio.ensure_future(rich(caller))
            await caller.pause(after)
            talking.cancel()
            await caller.hang_up(abruptly)

        model: list[str | Uses] = [Uses(REPLY, (LOOK,), "The blue one is free."), REPLY, "Fine."]
        desk = speaking(*model, ear=ears(partials_every=0.1), tools=[looking(0.4)], greeting="Hello and welcome.")
        Told(desk, script, agree=False)


said_aloud = st.sampled_from(["book a room", "no wait stop", "okay", "cough", "hold on", "mm-hmm", "two people and"])
deeds = st.lists(
    st.tuples(st.sampled_from([0.1, 0.3, 0.55, 0.72, 0.9, 1.3, 2.2, 3.0]), said_aloud | st.just("7#")), max_size=12
)


@settings(max_examples=40)
@given(deeds=deeds, first=st.sampled_from([0.05, 0.4, 1.2]), delay=st.sampled_from([0.05, 0.3, 0.8]))
def test_whatever_the_caller_does_the_model_believes_what_was_said(
    deeds: list[tuple[float, str]], first: float, delay: float
) -> None:
    async def script(caller: SimulatedCaller) -> None:
        for wait, words in [*deeds, (0.5, "goodbye")]:
            await caller.pause(wait)
            await (caller.press(words) if words == "7#" else caller.say(speech(words)))
        await caller.pause(10)

    model: list[str | Uses] = [REPLY, Uses("Let me look.", (LOOK,), REPLY), "Fine."]
    Told(speaking(*model, first=first, ear=ears(delay), tools=[looking(0.4)]), script)


def test_what_a_call_takes() -> None:
    prices = {"ScriptedSpeech": Rates(input=4.0, output=16.0)}
    told = Told(speaking("For how many people?", prices=prices), one_question)
    (cost,) = [report for _, report in told.rehearsal.reports if isinstance(report, CallCosted)]
    assert (cost.used.replies, cost.used.transcriptions, cost.used.estimated) == (1, 1, 0)
    assert (cost.used.input, cost.used.output) == (2, 4)
    assert cost.used.spoken == len(voiced("Hello. For how many people?"))
