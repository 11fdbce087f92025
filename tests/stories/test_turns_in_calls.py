"""Stories of turns: who says what when, what is begun ahead of time, and what happens when a turn was not over."""

from itertools import pairwise

import pytest
from kit import agent, asked, call, ears, over_the_agent, speech, tell, turn

from offhook.agent import patience
from offhook.call.outputs import AgentSaid
from offhook.conversation.messages import Message, Role
from offhook.providers.scripted import ScriptedModel, ScriptedVoice
from offhook.simulator.caller import SimulatedCaller
from offhook.timebase import ms


async def one_question(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room please"))
    await caller.listen_until_quiet(0.8)


def test_a_plain_turn() -> None:
    told = tell(agent("For how many people?"), one_question)
    assert told.agent_said == ["Hello.", "For how many people?"]
    assert told.user_said == ["book a room please"]
    assert turn(told, "book a room please").cut_in is None


def test_work_and_waiting_overlap() -> None:
    """Transcript, reply and voice take 0.6 s, the pause 0.9 s: together they take hardly longer than the longer one."""
    told = tell(agent("Certainly."), one_question)
    (timed,) = told.delays
    assert timed.transcribed < timed.written < timed.confirmed
    assert timed.played == max(timed.confirmed, timed.voiced)
    delay = turn(told, "book a room please").response_delay
    assert delay is not None
    assert delay < ms(1060)


def test_what_is_ready_goes_out_the_moment_the_turn_is_over() -> None:
    told = tell(agent("Certainly.", llm=ScriptedModel(["Certainly."], first_token=0.1)), one_question)
    (timed,) = told.delays
    assert timed.voiced < timed.confirmed == timed.played


def test_without_speculation_nothing_is_asked_before_the_turn_is_over() -> None:
    told = tell(agent("Certainly.", speculate=False), one_question)
    (timed,) = told.delays
    assert timed.confirmed < timed.transcribed < timed.written < timed.voiced == timed.played
    assert told.user_said == ["book a room please"]


def test_a_model_whose_asking_has_effects_is_asked_once_the_turn_is_over() -> None:
    model = ScriptedModel(["Certainly."], speculative=False)
    told = tell(agent(llm=model), one_question)
    (timed,) = told.delays
    assert timed.transcribed < timed.confirmed < timed.written
    assert len(model.asked) == 1


async def with_a_short_pause(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room"))
    await caller.pause(0.5)
    await caller.say(speech("today please"))
    await caller.listen_until_quiet(0.8)


def test_a_short_pause_is_not_the_end() -> None:
    told = tell(agent("Certainly."), with_a_short_pause)
    assert told.user_said == ["book a room today please"]
    assert told.agent_said == ["Hello.", "Certainly."]
    assert turn(told, "book a room").response_delay is None


def test_what_was_begun_in_vain_is_cancelled_and_bounded() -> None:
    """One pause in vain costs at most one request of each stage, and each is cancelled or was done."""
    stt, model, voice = ears(), ScriptedModel(["Certainly."], first_token=0.05), ScriptedVoice(delay=0.1)
    tell(agent(stt=stt, llm=model, tts=voice), with_a_short_pause)
    assert len(stt.asked) == 2
    assert len(model.asked) == 2
    assert len(voice.asked) <= 3  # the greeting is one
    assert [len(conversation.messages) for conversation in model.asked] == [2, 2]


@pytest.mark.parametrize("pauses", [1, 2, 4, 7])
def test_waste_grows_with_the_pauses_alone(pauses: int) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for _ in range(pauses):
            await caller.say(speech("one"))
            await caller.pause(0.55)
        await caller.say(speech("two"))
        await caller.listen_until_quiet(0.8)

    stt, model, voice = ears(0.05), ScriptedModel(["A, b, c. D. E."], first_token=0.05), ScriptedVoice(delay=0.05)
    told = tell(agent(stt=stt, llm=model, tts=voice), script)
    assert told.user_said == [" ".join(["one"] * pauses + ["two"])]
    assert len(stt.asked) <= pauses + 1
    assert len(model.asked) <= pauses + 1
    assert len(voice.asked) <= pauses + 3


def test_speculation_that_is_overtaken_is_cancelled_while_it_runs() -> None:
    stt, model, voice = ears(), ScriptedModel(["Certainly."], first_token=2.0), ScriptedVoice()
    told = tell(agent(stt=stt, llm=model, tts=voice), with_a_short_pause)
    assert len(model.cancelled) == 1
    assert told.agent_said == ["Hello.", "Certainly."]


async def goes_on_too_late(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room"))
    await caller.pause(1.15)
    await caller.say(speech("today please"))
    await caller.listen_until_quiet(0.8)


def test_a_turn_is_reopened_when_the_caller_goes_on_soon() -> None:
    model = ScriptedModel(lambda conversation: "You said: " + conversation.messages[-1].text)
    told = tell(agent(llm=model), goes_on_too_late)
    assert told.user_said == ["book a room", "book a room today please"]
    assert told.agent_said[-1] == "You said: book a room today please"
    assert asked(model)[-1] == [
        Message(Role.ASSISTANT, "Hello."),
        Message(Role.USER, "book a room today please"),
    ]


def test_a_reply_that_was_heard_longer_closes_the_turn() -> None:
    model = ScriptedModel(["Two rooms are free today.", "Tomorrow none."])
    told = tell(agent(llm=model), over_the_agent("what about tomorrow then", after=0.7, then=0.8))
    assert told.user_said == ["book a room", "what about tomorrow then"]
    assert [message.text for message in asked(model)[-1]] == [
        "Hello.", "book a room", "Two rooms", "what about tomorrow then",
    ]  # fmt: skip


def test_a_reopened_turn_is_never_answered_by_half() -> None:
    """The second half's words come first, its pause is over soon after: the reply is still made of both halves."""
    for pause in range(700, 1500, 50):
        for delay in (0.05, 0.3, 0.6, 0.9):

            async def script(caller: SimulatedCaller, pause: float = pause / 1000) -> None:
                await caller.listen_until_quiet(0.8)
                await caller.say(speech("book a room"))
                await caller.pause(pause)
                await caller.say(speech("today"))
                await caller.listen_until_quiet(3)

            model = ScriptedModel(lambda conversation: conversation.messages[-1].text + ".", first_token=0.4)
            told = tell(agent(stt=ears(delay), llm=model), script)
            spoken = [report.text for _, report in told.reports if isinstance(report, AgentSaid) and report.complete]
            assert spoken[-1] == told.user_said[-1] + ".", (pause, delay, told.reports)
            assert told.user_said[-1] in ("book a room today", "today"), (pause, delay)


def test_a_turn_that_ends_in_and_gets_more_time() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("two people and"))
        await caller.pause(1.1)
        await caller.say(speech("a room"))
        await caller.listen_until_quiet(0.8)

    told = tell(agent("Fine."), script)
    assert told.user_said == ["two people and a room"]


def test_patience_is_the_agents_to_set() -> None:
    quick, slow = (
        tell(
            agent(
                "Fine.",
                llm=ScriptedModel(["Fine."], 0.01),
                stt=ears(0.01),
                patience=patience(complete=wait, pause=wait),
            ),
            one_question,
        )
        for wait in (0.3, 1.5)
    )
    first, second = (turn(told, "book a room please").response_delay or 0 for told in (quick, slow))
    assert ms(1180) <= second - first <= ms(1220)


def test_turns_are_answered_in_order_with_the_history_so_far() -> None:
    said = ("hello", "book a room", "two people", "goodbye")

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for words in said:
            await caller.say(speech(words))
            await caller.listen_until_quiet(0.8)

    model = ScriptedModel([f"Reply number {number}." for number in range(4)])
    told = tell(agent(llm=model, instructions="Be brief."), script)
    texts = [message.text for message in asked(model)[-1]]
    assert texts == [
        "Be brief.", "Hello.", "hello", "Reply number 0.", "book a room", "Reply number 1.", "two people",
        "Reply number 2.", "goodbye",
    ]  # fmt: skip
    assert told.user_said == list(said)
    assert all(earlier <= later for earlier, later in pairwise(when for when, _ in told.reports))


def test_a_reply_of_many_sentences_is_heard_without_a_gap() -> None:
    reply = "One two three four. Five six seven eight nine. Ten eleven twelve. And so it goes on for long."
    told = tell(agent(reply), one_question)
    spoken = list(call(told).ear.gaps())
    assert told.agent_said[-1] == reply
    assert len(spoken) == 1  # between the greeting and the reply
