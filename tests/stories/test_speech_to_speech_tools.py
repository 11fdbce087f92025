"""Stories of an agent with a speech model: keys, orders from outside, and tools."""

import asyncio

import pytest
from kit import asked, orders, over_the_agent, speech, voiced
from speech_kit import LOOK, REPLY, ROOMS, Told, looking, one_question, speaking

from offhook.agent.handle import CallHandle
from offhook.call.config import Phrases
from offhook.call.inputs import HangUpOrdered, SayOrdered
from offhook.providers.scripted import Uses
from offhook.simulator.caller import SimulatedCaller


def test_keys_are_noted_and_answered() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.press("12#")
        await caller.listen_until_quiet(0.8)

    told = Told(speaking("Thank you."), script)
    assert told.believes[1:] == ["user: [pressed on the keypad: 12]", "assistant: Thank you."]
    assert asked(told.model.mind)[-1][-1].text == "[pressed on the keypad: 12]"


def test_a_key_interrupts_the_reply() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.agent_speaks()
        await caller.pause(1.0)
        await caller.press("7#")
        await caller.listen_until_quiet(0.8)

    told = Told(speaking(REPLY, "Seven."), script)
    assert told.agent_said[1:] == ["We have a", "Seven."]
    assert len(told.session.cuts) == 1


def test_an_order_to_say_something_is_spoken_and_noted() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await one_question(caller)
        await caller.say(speech("goodbye"))
        await caller.server_hangs_up(timeout=20)

    told = Told(
        speaking("Fine.", "Bye."),
        script,
        on_driver=orders((6.0, SayOrdered("It is late.")), (12.0, HangUpOrdered("Good night."))),
    )
    assert "It is late." in told.agent_said
    assert told.agent_said[-1] == "Good night."
    assert told.model.voice.asked[0] == "Hello."
    assert "Good night." in told.model.voice.asked


async def asks_for_a_room(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room please"))
    await caller.listen_until_quiet(2.5, timeout=30)
    await caller.hang_up()


@pytest.mark.parametrize("recorded", [False, True])
def test_the_reply_goes_on_with_what_the_tool_returned(recorded: bool) -> None:
    filler = Phrases().filler
    told = Told(
        speaking(ROOMS, tools=[looking(2.0 if recorded else 0.5)]),
        asks_for_a_room,
        recordings={filler: voiced(filler)} if recorded else {},
    )
    whole = f"Let me look. {filler} The blue room is free." if recorded else "Let me look. The blue room is free."
    assert told.agent_said == ["Hello.", whole]
    assert told.session.briefing.tools[0].name == "look"
    assert [message.text for message in told.session.messages if message.answers] == ["blue"]
    assert told.session.cuts == []


def test_a_tool_is_used_once_when_the_turn_is_over() -> None:
    seen: list[str] = []

    async def goes_on(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(0.65)
        assert seen == []
        await caller.say(speech("today please"))
        await caller.listen_until_quiet(2.5, timeout=30)

    told = Told(speaking(Uses("", (LOOK,), "Done."), first=0.05, tools=[looking(0.2, seen)]), goes_on)
    assert seen == ["today"]
    calls = [each for message in told.session.messages for each in message.calls]
    assert calls == [LOOK]
    assert told.agent_said == ["Hello.", "Done."]


def test_an_interrupted_tool_is_let_finish_and_its_result_noted() -> None:
    interrupts = over_the_agent("what about tomorrow then please", after=0.5, then=2.5)
    told = Told(speaking(ROOMS, "Tomorrow is full.", tools=[looking(1.5)]), interrupts)
    assert told.agent_said[-1] == "Tomorrow is full."
    assert [message.text for message in told.session.messages if message.answers] == ["blue"]
    assert not any("blue room" in line for line in told.believes)


def test_what_is_said_while_a_tool_runs_is_noted() -> None:
    async def look(call: CallHandle, day: str) -> str:
        call.say("This takes a moment.")
        await asyncio.sleep(2)
        return "blue"

    told = Told(speaking(ROOMS, tools=[look]), asks_for_a_room, agree=False)
    assert told.agent_said == ["Hello.", "Let me look. This takes a moment. The blue room is free."]
    assert sorted(told.believes[-1].split()) == sorted(told.history[-1].split())
