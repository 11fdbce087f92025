"""Stories of silence: callers who ask us to wait, who say nothing, who are gone; and orders from outside."""

import pytest
from kit import AGENT_WORD, agent, asked, call, ears, heard_audio, orders, over_the_agent, speech, tell, turn, voiced

from offhook.agent import patience
from offhook.call.config import Limits, Phrases
from offhook.call.inputs import HangUpOrdered, SayOrdered
from offhook.call.outputs import AgentSaid, CallEnded, UserSaid
from offhook.providers.scripted import ScriptedModel
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import ms, seconds

REPLY = "We have a large room with a window and a small room without one on the second floor."


def ended(told: Rehearsal) -> CallEnded:
    (end,) = [report for _, report in told.reports if isinstance(report, CallEnded)]
    return end


async def asks_to_wait(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("hold on"))
    await caller.pause(20)
    await caller.say(speech("two people"))
    await caller.listen_until_quiet(1)


@pytest.mark.parametrize("speculate", [True, False])
@pytest.mark.parametrize("delay", [0.2, 1.5])
def test_a_caller_who_asks_to_wait_is_waited_for(speculate: bool, delay: float) -> None:
    """Whether the words are known before the turn seems over or after it: nothing is said, and nobody is asked."""
    model = ScriptedModel(["Fine."])
    told = tell(agent(llm=model, speculate=speculate, stt=ears(delay)), asks_to_wait)
    assert told.agent_said == ["Hello.", "Fine."]
    assert told.user_said == ["hold on", "two people"]
    assert [message.text for message in asked(model)[-1]] == ["Hello.", "hold on", "two people"]
    assert turn(told, "hold on").response_delay is None


@pytest.mark.parametrize("delay", [0.2, 1.5])
def test_a_cough_is_not_answered(delay: float) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("cough"))
        await caller.pause(5)

    model = ScriptedModel(["Fine."])
    told = tell(agent(llm=model, stt=ears(delay)), script)
    assert told.agent_said == ["Hello."]
    assert told.user_said == []
    assert model.asked == []


def test_hold_on_over_the_agent_makes_it_wait() -> None:
    model = ScriptedModel([REPLY, "unused", "Fine."])
    told = tell(agent(llm=model), over_the_agent("wait please", 15.0, "two people", then=1))
    assert told.agent_said == ["Hello.", "We have a", "Fine."]
    assert told.user_said == ["book a room", "wait please", "two people"]
    assert [message.text for message in asked(model)[-1]] == [
        "Hello.", "book a room", "We have a", "wait please", "two people",
    ]  # fmt: skip


async def says_nothing(caller: SimulatedCaller) -> None:
    await caller.server_hangs_up(timeout=60)


def test_who_says_nothing_is_asked_and_then_left() -> None:
    phrases = Phrases()
    told = tell(agent(), says_nothing)
    assert told.agent_said == ["Hello.", *[phrases.are_you_there] * 2, phrases.idle_goodbye]
    assert ended(told).reason == "idle"
    assert call(told).ended_by == "server"


def test_silence_is_counted_from_the_end_of_what_was_said() -> None:
    told = tell(agent(), says_nothing)
    spans = call(told).ear.audible()
    assert seconds(7.9) < 125 * (spans[1].start - spans[0].end) < seconds(8.4)


def test_who_asked_us_to_wait_is_given_a_minute() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("hold on"))
        await caller.server_hangs_up(timeout=120)

    told = tell(agent(), script)
    asked_at = next(when for when, report in told.reports if isinstance(report, AgentSaid) and "there" in report.text)
    waited = next(when for when, report in told.reports if isinstance(report, UserSaid))
    assert seconds(60) < asked_at - waited < seconds(63)


def test_a_word_makes_the_prompts_begin_anew() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for _ in range(4):
            await caller.pause(10)
            await caller.say(speech("hello"))
            await caller.listen_until_quiet(1)

    told = tell(agent("Hello again."), script)
    assert told.agent_said == ["Hello.", *["Are you still there?", "Hello again."] * 4]
    assert ended(told).reason == "stop"


def test_a_goodbye_is_played_whole_before_the_call_ends() -> None:
    goodbye = "This is all for today, goodbye."

    async def script(caller: SimulatedCaller) -> None:
        await caller.server_hangs_up()

    told = tell(agent(), script, on_driver=orders((3.0, HangUpOrdered(goodbye))))
    assert told.agent_said == ["Hello.", goodbye]
    assert heard_audio(told) == voiced(f"Hello. {goodbye}")
    assert ended(told).reason == "ordered"
    last = call(told).ear.end * 125
    assert 0 <= call(told).ended_at - last < ms(100)


def test_nothing_interrupts_a_goodbye() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.pause(3.3)
        await caller.say(speech("no wait stop what about tomorrow then"))
        await caller.press("5")
        await caller.server_hangs_up()

    goodbye = "That is all I can do for you today, so goodbye and thank you for your call."
    told = tell(agent(), script, on_driver=orders((3.0, HangUpOrdered(goodbye)), (3.5, SayOrdered("Unheard."))))
    assert told.agent_said == ["Hello.", goodbye]
    assert heard_audio(told) == voiced(f"Hello. {goodbye}")


def test_a_call_can_be_ended_without_a_word() -> None:
    told = tell(agent(), says_nothing, on_driver=orders((0.25, HangUpOrdered(cut=True))))
    assert told.agent_said == []
    assert call(told).ended_at == 250_000


def test_an_order_waits_for_the_floor() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room please"))
        await caller.pause(10)

    told = tell(agent("Fine, two people."), script, on_driver=orders((1.5, SayOrdered("Two minutes left."))))
    assert told.agent_said == ["Hello.", "Fine, two people.", "Two minutes left."]


@pytest.mark.parametrize("at", [x / 4 for x in range(30)])
def test_orders_at_any_time(at: float) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.agent_speaks()
        await caller.pause(1)
        await caller.say(speech("cough"))
        await caller.server_hangs_up(timeout=60)

    told = tell(
        agent(REPLY), script, on_driver=orders((at, SayOrdered("By the way.")), (at + 4, HangUpOrdered("Bye.")))
    )
    assert told.agent_said[-1].endswith("Bye.")
    assert ended(told).reason == "ordered"
    # Heard if the floor was free in time.
    assert told.agent_said.count("By the way.") <= 1


def test_calls_do_not_last_for_ever() -> None:
    limits = Limits(longest_call=seconds(20))

    async def script(caller: SimulatedCaller) -> None:
        while True:
            await caller.listen_until_quiet(0.8)
            await caller.say(speech("hello"))

    told = tell(agent("And so on.", limits=limits), script)
    assert told.agent_said[-1] == Phrases().time_is_up
    assert ended(told).reason == "longest call"
    assert seconds(20) < call(told).ended_at < seconds(23)


def test_a_goodbye_ends_even_if_its_mark_never_comes() -> None:
    class Deaf(SimulatedCaller):
        """Whose carrier returns no mark."""

    async def script(caller: SimulatedCaller) -> None:
        caller._phone._return = lambda marks: None  # type: ignore[method-assign]
        await caller.server_hangs_up()

    told = tell(agent(), script, on_driver=orders((3.0, HangUpOrdered("Goodbye then."))))
    assert told.agent_said == ["Hello.", "Goodbye then."]
    assert ended(told).reason == "ordered"
    assert len(heard_audio(told)) == 3 * AGENT_WORD
    assert call(told).ended_at < seconds(3.1 + 0.6 + 2.2)


def test_patience_for_idle_callers() -> None:
    told = tell(agent(patience=patience(idle=2.0)), says_nothing)
    assert call(told).ended_at < seconds(16)
