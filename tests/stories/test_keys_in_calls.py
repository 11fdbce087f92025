"""Stories of the keypad: an equal way to answer, at any time."""

import pytest
from kit import agent, asked, call, ears, speech, tell

from booking import BOOKED, BOOKING, KEYED, SAID
from offhook import Agent
from offhook.call.outputs import CallEnded
from offhook.conversation.answers import Digits
from offhook.conversation.flow import Flow
from offhook.conversation.questions import Question
from offhook.providers.scripted import ScriptedModel, ScriptedVoice
from offhook.simulator.caller import SimulatedCaller
from offhook.timebase import seconds

PIN = Flow("Hello.", (Question("pin", "Your pin please?", Digits(4)),), done="You keyed {pin}.")
FREE = Flow("Hello.", (Question("number", "Your number please?", Digits()),), done="You keyed {number}.")


def flow_agent(flow: Flow, delay: float = 0.2) -> Agent:
    return Agent(llm=flow, stt=ears(delay), tts=ScriptedVoice(delay=0.1))


def test_keys_answer() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.press("1234")
        await caller.server_hangs_up()

    told = tell(flow_agent(PIN), script)
    assert told.flow is not None
    assert told.flow.answers == {"pin": "1234"}
    assert told.user_said == ["[pressed on the keypad: 1234]"]


def test_the_last_expected_key_is_answered_at_once() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.press("1234")
        await caller.server_hangs_up()

    told = tell(flow_agent(PIN), script)
    last = call(told).pressed[-1].at
    first = call(told).ear.first_audible(last // 125)
    assert first is not None
    assert first * 125 - last == 100_000  # the voice's own delay


@pytest.mark.parametrize(("keys", "answer"), [("77#", "77"), ("77", "77"), ("5#", "5")])
def test_a_terminator_or_time_ends_an_answer_of_any_length(keys: str, answer: str) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.press(keys)
        await caller.server_hangs_up()

    told = tell(flow_agent(FREE), script)
    assert told.flow is not None
    assert told.flow.answers == {"number": answer}
    last = call(told).pressed[-1].at
    first = call(told).ear.first_audible(last // 125)
    assert first is not None
    assert first * 125 - last == 100_000 + (0 if keys.endswith("#") else seconds(3))


@pytest.mark.parametrize("after", [0.1, 0.5, 1.0])
def test_keys_interrupt_the_agent(after: float) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.agent_speaks()
        await caller.pause(after)
        await caller.press("1234", every=0.1)
        await caller.server_hangs_up()

    told = tell(flow_agent(PIN), script)
    assert told.flow is not None
    assert told.flow.answers == {"pin": "1234"}
    assert len(call(told).cleared) == 1
    assert "Your pin please?" not in told.agent_said[0]


def test_keys_in_the_midst_of_speech() -> None:
    """The caller begins to speak, and keys instead: what was keyed counts, what was said is let go."""

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        caller.say_nowait(speech("one two three"))
        await caller.pause(0.3)
        await caller.press("1234", every=0.1)
        await caller.server_hangs_up()

    told = tell(flow_agent(PIN), script)
    assert told.flow is not None
    assert told.flow.answers["pin"] == "1234"


def test_who_types_is_not_asked_whether_they_are_there() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.press("12345", every=2.5)
        await caller.press("#")
        await caller.server_hangs_up()

    told = tell(flow_agent(FREE), script)
    assert told.agent_said == ["Hello. Your number please?", "You keyed one two three four five."]


def test_a_model_is_told_which_keys_were_pressed() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.press("42#")
        await caller.listen_until_quiet(1)

    model = ScriptedModel(["Forty two."])
    told = tell(agent(llm=model), script)
    assert told.agent_said == ["Hello.", "Forty two."]
    assert asked(model)[0][-1].text == "[pressed on the keypad: 42]"


def test_a_flow_books_a_room_by_voice() -> None:
    async def script(caller: SimulatedCaller) -> None:
        for words in SAID:
            await caller.listen_until_quiet(0.8)
            await caller.say(speech(words))
        await caller.server_hangs_up()

    told = tell(flow_agent(BOOKING), script)
    assert told.flow is not None
    assert told.flow.outcome == "done"
    assert told.flow.answers == BOOKED
    assert told.user_said == list(SAID)
    assert told.agent_said[-1] == BOOKING.done
    assert all(timed.played < seconds(1) for timed in told.delays)


def test_a_flow_books_a_room_by_keypad() -> None:
    async def script(caller: SimulatedCaller) -> None:
        for keys in KEYED:
            await caller.listen_until_quiet(0.8)
            await caller.press(keys)
        await caller.server_hangs_up()

    told = tell(flow_agent(BOOKING), script)
    assert told.flow is not None
    assert told.flow.answers == BOOKED


def test_an_answer_in_two_halves_moves_the_flow_once() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("mountain"))
        await caller.pause(1.2)
        await caller.say(speech("view"))
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("today"))
        await caller.listen_until_quiet(0.8)

    told = tell(flow_agent(BOOKING), script)
    assert told.user_said[-3:] == ["mountain", "mountain view", "today"]
    assert told.agent_said[-1] == "At what time?"


@pytest.mark.parametrize("delay", [0.1, 0.9, 1.6])
def test_goodbye_ends_a_flow_even_if_the_caller_coughs_meanwhile(delay: float) -> None:
    for wait in (0.3, 0.6, 0.75, 0.9, 1.2, 1.5):

        async def script(caller: SimulatedCaller, wait: float = wait) -> None:
            await caller.listen_until_quiet(0.8)
            await caller.say(speech("goodbye"))
            await caller.pause(wait)
            await caller.say(speech("cough"))
            await caller.server_hangs_up(timeout=12)

        told = tell(flow_agent(BOOKING, delay), script)
        assert told.agent_said[-1] == BOOKING.goodbye, (delay, wait)
        assert any(isinstance(report, CallEnded) and report.reason == "goodbye" for _, report in told.reports)


def test_a_flow_without_a_last_word_ends_the_call_all_the_same() -> None:
    flow = Flow("Hello.", (Question("pin", "Your pin please?", Digits(4)),), done="")

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.press("1234")
        await caller.server_hangs_up(timeout=2)

    told = tell(flow_agent(flow), script)
    assert told.flow is not None
    assert told.flow.outcome == "done"
