"""Stories of an agent with a speech model: it hears, decides and speaks, and believes what really was said."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kit import asked, ears, heard_audio, orders, speech, tell, turn, voiced

from offhook import Agent
from offhook.agent.handle import CallHandle
from offhook.call.config import Limits, Phrases
from offhook.call.inputs import HangUpOrdered, SayOrdered
from offhook.call.outputs import CallCosted, Interrupted
from offhook.call.usage import Rates
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall
from offhook.errors import Failure, ProviderError
from offhook.providers.scripted import Breaks, ScriptedModel, ScriptedTranscriber, ScriptedVoice, Uses
from offhook.providers.speech.scripted import ScriptedSpeech
from offhook.runtime.driver import Driver
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import ms, seconds

REPLY = "We have a large room with a window and a small room without one on the second floor."
LOOK = ToolCall("t1", "look", '{"day": "today"}')
ROOMS = Uses("Let me look.", (LOOK,), "The blue room is free.")
DOWN = ProviderError(Failure.UNREACHABLE, "nobody is there")


class Told:
    """A call with a speech model. What the model believes is what the call's history says, whatever the story."""

    def __init__(self, speaker: Agent, script, on_driver=None, *, agree=True, **settings) -> None:  # type: ignore[no-untyped-def]
        drivers: list[Driver] = []

        def began(driver: Driver) -> None:
            drivers.append(driver)
            if on_driver is not None:
                on_driver(driver)

        self.rehearsal: Rehearsal = tell(speaker, script, on_driver=began, **settings)
        self.model: ScriptedSpeech = speaker.speech
        (self.session,) = self.model.sessions
        assert self.session.opened
        assert self.session.closed
        assert self.model.running == 0
        self.history = said(drivers[0].call.history.messages(None))
        assert self.believes == self.history or not agree

    @property
    def believes(self) -> list[str]:
        return said(self.session.messages)

    @property
    def agent_said(self) -> list[str]:
        return self.rehearsal.agent_said

    @property
    def user_said(self) -> list[str]:
        return self.rehearsal.user_said


def said(messages: Sequence[Message]) -> list[str]:
    """Who said what, whatever was split up; fillers aside, which answer nothing."""
    told: list[str] = []
    before = None
    for message in messages:
        text = message.text.replace(Phrases().filler, "").strip()
        if message.role in (Role.SYSTEM, Role.TOOL) or not text:
            continue
        if message.role is before is Role.ASSISTANT:
            told[-1] += f" {text}"
        else:
            told.append(f"{message.role}: {text}")
        before = message.role
    return [" ".join(line.split()) for line in told]


def speaking(*replies: str | Uses | Breaks | Exception, first: float = 0.3, **settings) -> Agent:  # type: ignore[no-untyped-def]
    """An agent whose model gives these replies."""
    model = ScriptedSpeech(
        settings.pop("ear", None) or ears(0.2),
        settings.pop("mind", None) or ScriptedModel(replies or ("Fine.",), first_token=first),
        settings.pop("voice", None),
    )
    return Agent(**{"greeting": "Hello.", "speech": model, **settings})


async def one_question(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room please"))
    await caller.listen_until_quiet(2.0)


def over_the_agent(words: str, after: float = 1.0, then: float = 2.0):  # type: ignore[no-untyped-def]
    """Ask, listen for a while, and make a sound."""

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.agent_speaks()
        await caller.pause(after)
        await caller.say(speech(words))
        await caller.listen_until_quiet(then)

    return script


# turns


def test_a_greeting_and_a_turn() -> None:
    told = Told(speaking("For how many people?", instructions="Be brief.", tools=[]), one_question)
    assert told.agent_said == ["Hello.", "For how many people?"]
    assert told.user_said == ["book a room please"]
    assert told.believes == ["assistant: Hello.", "user: book a room please", "assistant: For how many people?"]
    assert told.session.briefing.instructions == "Be brief."
    assert told.session.cuts == []
    assert heard_audio(told.rehearsal) == voiced("Hello. For how many people?")


def test_the_reply_is_made_while_we_wait_whether_the_turn_is_over() -> None:
    told = Told(speaking("Certainly.", first=0.1), one_question)
    (timed,) = told.rehearsal.delays
    assert timed.transcribed < timed.written <= timed.voiced < timed.confirmed == timed.played
    delay = turn(told.rehearsal, "book a room please").response_delay
    assert delay is not None
    assert delay < ms(1060)


def test_without_speculation_nothing_is_asked_before_the_turn_is_over() -> None:
    told = Told(speaking("Certainly.", speculate=False), one_question)
    (timed,) = told.rehearsal.delays
    assert timed.confirmed < timed.transcribed < timed.written
    assert told.session.forgotten == 0


def test_words_that_come_bit_by_bit_are_answered_once() -> None:
    told = Told(speaking("Certainly.", ear=ears(0.4, partials_every=0.1)), one_question)
    assert len(told.model.mind.asked) == 1
    assert told.session.forgotten == 0
    assert told.user_said == ["book a room please"]


@pytest.mark.parametrize("pauses", [1, 3])
def test_a_turn_that_goes_on_is_heard_anew_as_one(pauses: int) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for _ in range(pauses):
            await caller.say(speech("book a room"))
            await caller.pause(0.5)
        await caller.say(speech("today please"))
        await caller.listen_until_quiet(0.8)

    told = Told(speaking("Certainly.", first=0.05), script)
    whole = " ".join(["book a room"] * pauses + ["today please"])
    assert told.user_said == [whole]
    assert told.believes == ["assistant: Hello.", f"user: {whole}", "assistant: Certainly."]
    assert told.session.forgotten == 2 * pauses  # each time what was heard, and the guess
    assert [line.text for line in asked(told.model.mind)[-1]] == ["Hello.", whole]


@pytest.mark.parametrize("pause", [0.75, 0.9, 1.1])
def test_a_turn_that_is_reopened_takes_its_answer_back(pause: float) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(pause)
        await caller.say(speech("today please"))
        await caller.listen_until_quiet(0.8)

    told = Told(speaking("Certainly we do.", first=0.2), script)
    assert told.user_said[-1] == "book a room today please"
    assert told.believes == ["assistant: Hello.", "user: book a room today please", "assistant: Certainly we do."]


def test_what_could_not_be_written_down_is_answered_all_the_same() -> None:
    told = Told(speaking("Fine.", ear=ScriptedTranscriber([DOWN])), one_question)
    assert told.agent_said == ["Hello.", "Fine."]
    assert told.user_said == ["[not understood]"]


def test_a_turn_that_asks_us_to_wait_is_kept_in_words() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("hold on"))
        await caller.pause(3)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(0.8)

    told = Told(speaking("Fine."), script)
    assert told.believes == ["assistant: Hello.", "user: hold on", "user: book a room", "assistant: Fine."]


# sounds over the agent


@pytest.mark.parametrize("after", [0.6, 1.0, 1.9, 3.1])
@pytest.mark.parametrize("first", [0.1, 0.6])
def test_an_interruption_cuts_the_reply_where_it_was_heard(after: float, first: float) -> None:
    told = Told(speaking(REPLY, "As you like.", first=first), over_the_agent("no wait stop", after))
    assert told.user_said == ["book a room", "no wait stop"]
    ((heard, words),) = told.session.cuts
    assert REPLY.startswith(words)
    assert words
    played = len(heard_audio(told.rehearsal)) - len(voiced("Hello. As you like."))
    assert abs(played - heard) <= 160  # to the frame
    assert told.agent_said[1:] == [words, "As you like."]
    assert [report.text for _, report in told.rehearsal.reports if isinstance(report, Interrupted)] == [words]


def test_a_reply_that_is_still_being_made_is_cut_and_stopped() -> None:
    slow = ScriptedModel([REPLY, "As you like."], first_token=0.3, tokens_per_second=3)
    told = Told(speaking(mind=slow), over_the_agent("no wait stop", 1.2))
    assert len(told.model.mind.cancelled) == 1
    assert told.agent_said[1] in ("We have a", "We have a large", "We have a large room")  # give or take a word


@pytest.mark.parametrize("words", ["okay", "right", "mm-hmm", "cough"])
@pytest.mark.parametrize("after", [0.3, 1.4])
def test_a_backchannel_or_a_cough_is_no_turn(words: str, after: float) -> None:
    told = Told(speaking(REPLY), over_the_agent(words, after))
    assert told.agent_said == ["Hello.", REPLY]
    assert told.session.cuts == []
    assert told.believes == ["assistant: Hello.", "user: book a room", f"assistant: {REPLY}"]
    assert told.session.forgotten == 1


def test_a_cough_while_we_listen_is_forgotten_and_costs_no_reply() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("cough"))
        await caller.pause(2)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(0.8)

    told = Told(speaking("Fine."), script)
    assert len(told.model.mind.asked) == 1
    assert told.session.forgotten == 1


def test_who_talks_over_the_greeting_came_after_it() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.agent_speaks()
        await caller.pause(1.0)
        await caller.say(speech("book a room please"))
        await caller.listen_until_quiet(1.5)

    told = Told(speaking("Fine.", greeting="Hello and welcome to our hotel by the sea."), script)
    assert told.believes == ["assistant: Hello and welcome", "user: book a room please", "assistant: Fine."]
    assert [line.text for line in asked(told.model.mind)[-1]] == ["Hello and welcome", "book a room please"]


# keys, orders, tools


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


def looking(seconds_: float, seen: list[str] | None = None):  # type: ignore[no-untyped-def]
    async def look(day: str) -> str:
        """Look for a free room."""
        await asyncio.sleep(seconds_)
        if seen is not None:
            seen.append(day)
        return "blue"

    return look


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
    async def interrupts(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.agent_speaks()
        await caller.pause(0.5)
        await caller.say(speech("what about tomorrow then please"))
        await caller.listen_until_quiet(2.5, timeout=30)

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


# failures


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


# the end, and the cost


async def rich(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.5)
    await caller.say(speech("book a room"))
    await caller.pause(0.4)
    await caller.say(speech("please"))
    await caller.agent_speaks()
    await caller.pause(0.9)
    await caller.say(speech("cough"))
    await caller.pause(1.2)
    await caller.say(speech("okay"))
    await caller.pause(1.2)
    await caller.say(speech("no wait stop"))
    await caller.pause(0.85)
    await caller.say(speech("tomorrow"))
    await caller.agent_speaks()
    await caller.press("12#")
    await caller.agent_speaks()
    await caller.pause(0.5)
    await caller.say(speech("hold on"))
    await caller.pause(2)
    await caller.say(speech("goodbye"))
    await caller.pause(4)


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
