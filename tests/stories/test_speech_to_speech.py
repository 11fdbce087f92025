"""Stories of an agent with a speech model: it hears, decides and speaks, and believes what really was said."""

import pytest
from kit import asked, ears, heard_audio, over_the_agent, over_the_greeting, speech, turn, voiced
from speech_kit import DOWN, REPLY, Told, one_question, speaking

from offhook.call.outputs import Interrupted
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber
from offhook.simulator.caller import SimulatedCaller
from offhook.timebase import ms

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
    told = Told(speaking(REPLY, "As you like.", first=first), over_the_agent("no wait stop", after=after))
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
    told = Told(speaking(mind=slow), over_the_agent("no wait stop", after=1.2))
    assert len(told.model.mind.cancelled) == 1
    assert told.agent_said[1] in ("We have a", "We have a large", "We have a large room")  # give or take a word


@pytest.mark.parametrize("words", ["okay", "right", "mm-hmm", "cough"])
@pytest.mark.parametrize("after", [0.3, 1.4])
def test_a_backchannel_or_a_cough_is_no_turn(words: str, after: float) -> None:
    told = Told(speaking(REPLY), over_the_agent(words, after=after))
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
    welcomed = speaking("Fine.", greeting="Hello and welcome to our hotel by the sea.")
    told = Told(welcomed, over_the_greeting("book a room please", then=1.5))
    assert told.believes == ["assistant: Hello and welcome", "user: book a room please", "assistant: Fine."]
    assert [line.text for line in asked(told.model.mind)[-1]] == ["Hello and welcome", "book a room please"]
