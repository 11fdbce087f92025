"""Stories of callers who make a sound while the agent speaks: which of them interrupt, and what is heard and kept."""

from itertools import pairwise

import pytest
from kit import (
    AGENT_WORD,
    agent,
    asked,
    call,
    ears,
    heard_audio,
    over_the_agent,
    over_the_greeting,
    speech,
    tell,
    turn,
    voiced,
)

from offhook.agent import patience
from offhook.call.outputs import AgentSaid
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.line import Line
from offhook.simulator.rehearsal import Rehearsal
from offhook.simulator.sounds import sound
from offhook.timebase import ms, samples

REPLY = "We have a large room with a window and a small room without one on the second floor."


FADE = 80
"""Samples for which what is gone on with is faded in."""


def utterances(told: Rehearsal) -> list[AgentSaid]:
    return [report for _, report in told.reports if isinstance(report, AgentSaid)]


@pytest.mark.parametrize("after", [0.05, 0.31, 1.0, 1.47, 2.9, 4.0])
def test_a_cough_loses_nothing(after: float) -> None:
    """The agent stops, sees that it was nothing, and goes on with the word that was cut: no sample is lost."""
    told = tell(agent(REPLY), over_the_agent("cough", after=after))
    assert told.agent_said == ["Hello.", REPLY]
    assert len(call(told).cleared) == 1
    whole, heard = voiced(REPLY), heard_audio(told)[AGENT_WORD:]
    cut = len(heard) - len(whole)
    assert 0 <= cut <= AGENT_WORD  # what is heard twice is less than a word
    begins = next(at for at in range(0, len(whole), AGENT_WORD) if heard[at + cut + FADE :] == whole[at + FADE :])
    assert heard[: begins + cut] == whole[: begins + cut]


@pytest.mark.parametrize("delay_ms", [20.0, 80.0, 250.0])
def test_nothing_is_lost_on_a_slow_line_either(delay_ms: float) -> None:
    told = tell(agent(REPLY), over_the_agent("cough"), line=Line(delay_ms=delay_ms))
    assert told.agent_said == ["Hello.", REPLY]
    whole, heard = voiced(REPLY), heard_audio(told)[AGENT_WORD:]
    cut = len(heard) - len(whole)
    assert 0 <= cut <= AGENT_WORD
    assert any(
        heard[: at + cut] == whole[: at + cut] and heard[at + cut + FADE :] == whole[at + FADE :]
        for at in range(0, len(whole), AGENT_WORD)
    )


def test_a_backchannel_does_not_interrupt() -> None:
    for words in ("okay", "right", "mm-hmm"):
        told = tell(agent(REPLY), over_the_agent(words))
        assert told.agent_said == ["Hello.", REPLY], words
        assert told.user_said == ["book a room"], words


def test_the_agent_falls_silent_at_once() -> None:
    told = tell(agent(REPLY), over_the_agent("no wait stop"))
    stop = turn(told, "no wait stop").stop_time
    assert stop is not None
    assert stop <= ms(64 + 40)  # two pieces of evidence, of which the first may have begun earlier, and a frame
    assert turn(told, "no wait stop").stale == 0


def test_real_words_interrupt() -> None:
    model = ScriptedModel([REPLY, "As you like."])
    told = tell(agent(llm=model), over_the_agent("no wait stop"))
    assert told.user_said == ["book a room", "no wait stop"]
    assert utterances(told)[1:] == [AgentSaid("We have a", complete=False), AgentSaid("As you like.", complete=True)]
    assert [message.text for message in asked(model)[-1]] == ["Hello.", "book a room", "We have a", "no wait stop"]


@pytest.mark.parametrize("after", [x / 10 for x in range(6, 40, 3)])
def test_history_holds_the_words_that_were_played(after: float) -> None:
    told = tell(agent(REPLY, "Fine."), over_the_agent("stop please", after=after))
    played = len(heard_audio(told)) - AGENT_WORD - len(voiced("Fine."))
    said = utterances(told)[1].text
    assert said == " ".join(REPLY.split()[: len(said.split())])
    assert abs(played - len(said.split()) * AGENT_WORD - AGENT_WORD // 2) <= AGENT_WORD // 2 + samples(ms(5))


def test_overlap_interrupts_without_a_word_being_known() -> None:
    """Nobody could transcribe it in time, but who speaks for a second and a half means it."""
    words = "what about tomorrow what about tomorrow then"
    told = tell(agent(REPLY, "Fine.", stt=ears(1.2)), over_the_agent(words))
    assert told.agent_said[1:] == ["We have a", "Fine."]
    interrupted = next(when for when, report in told.reports if report == AgentSaid("We have a", complete=False))
    spoke = turn(told, words).said
    assert ms(1_490) <= interrupted - spoke.start <= ms(1_570)
    assert told.user_said[-1] == words


def test_partial_transcripts_interrupt_sooner() -> None:
    told, slow = (
        tell(agent(REPLY, "Fine.", stt=ears(1.0, partials)), over_the_agent("stop please", then=3))
        for partials in (0.1, None)
    )
    cut, late = (
        next(when for when, report in each.reports if isinstance(report, AgentSaid) and not report.complete)
        for each in (told, slow)
    )
    assert late - cut > ms(700)


def test_words_that_are_known_late_interrupt_after_all() -> None:
    """The transcript takes longer than a hold waits: the agent goes on, and is interrupted when the words come."""

    told = tell(
        agent(REPLY, "Fine.", stt=ears(2.2)),
        over_the_agent("stop please", after=2.5, then=4),
    )
    first, second = utterances(told)[1:]
    assert told.user_said == ["book a room", "stop please"]
    assert not first.complete
    assert second == AgentSaid("Fine.", complete=True)
    assert len(call(told).cleared) == 2  # held, gone on, interrupted


def test_a_cough_while_the_reply_is_being_written_does_not_stop_it() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(0.9)
        await caller.say(speech("cough"))
        await caller.listen_until_quiet(1.5)

    told = tell(agent(llm=ScriptedModel(["Fine."], first_token=1.5)), script)
    assert told.user_said == ["book a room"]
    assert told.agent_said == ["Hello.", "Fine."]


def test_a_caller_who_goes_on_while_the_transcript_is_awaited_is_understood_as_one() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(0.9)
        await caller.say(speech("today please"))
        await caller.listen_until_quiet(3)

    told = tell(agent("Fine.", stt=ears(1.2)), script)
    assert told.user_said == ["book a room today please"]
    assert told.agent_said == ["Hello.", "Fine."]


def test_the_greeting_can_be_interrupted() -> None:
    model = ScriptedModel(["Fine."])
    told = tell(
        agent(greeting="Hello and welcome to the house of many rooms.", llm=model),
        over_the_greeting("book a room please", after=0.7, then=1),
    )
    assert told.agent_said == ["Hello and", "Fine."]
    assert [message.text for message in asked(model)[-1]] == ["Hello and", "book a room please"]


def test_both_begin_at_once() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.say(speech("book a room please"))
        await caller.listen_until_quiet(1.5)

    told = tell(agent("Fine."), script)
    assert told.user_said == ["book a room please"]
    assert told.agent_said[-1] == "Fine."


def test_a_cough_at_the_end_of_a_reply_leaves_nothing_to_say() -> None:
    told = tell(agent("Very well.", "Fine."), over_the_agent("cough", 2.0, "two people", after=0.58, then=1))
    assert told.agent_said == ["Hello.", "Very well.", "Fine."]
    assert told.user_said == ["book a room", "two people"]


@pytest.mark.parametrize("count", [2, 3, 5])
def test_many_coughs(count: int) -> None:
    coughs: list[str | float] = [0.8, "cough"] * count
    told = tell(agent(REPLY), over_the_agent(*coughs, after=0))
    assert told.agent_said == ["Hello.", REPLY]


def test_a_cough_then_words() -> None:
    for gap in (0.05, 0.15, 0.3, 0.45, 0.6, 0.9, 1.3):
        told = tell(agent(REPLY, "Fine."), over_the_agent("cough", gap, "stop please", after=1.6))
        assert told.user_said == ["book a room", "stop please"], gap
        assert told.agent_said[-1] == "Fine.", gap


def test_words_in_two_pieces_over_the_agent() -> None:
    """The transcript of the first piece is late, the second is on its way: both count, and as one."""
    for delay in (0.2, 0.8, 1.7, 2.4):
        for gap in (0.2, 0.5, 1.0, 1.6, 2.0):
            script = over_the_agent("tomorrow", gap, "please", after=1.6, then=4)
            told = tell(agent(REPLY, *["Fine."] * 3, stt=ears(delay)), script)
            words = " ".join(told.user_said[1:])
            assert words in ("tomorrow please", "tomorrow tomorrow please"), (delay, gap, told.user_said)
            assert told.agent_said[-1] == "Fine.", (delay, gap)


def test_weak_evidence_does_not_even_hold() -> None:
    """One loud piece of evidence, 32 ms, is no speech."""
    click = sound(speech("cough").mulaw[:160])
    told = tell(agent(REPLY), over_the_agent(click, after=0.5, then=1))
    assert call(told).cleared == ()
    assert told.agent_said == ["Hello.", REPLY]


def test_a_hold_ends_by_itself_when_no_transcript_comes() -> None:
    told = tell(
        agent(REPLY, stt=ScriptedTranscriber(["book a room"], delay=0.2), patience=patience(verdict=0.5)),
        over_the_agent("cough"),
    )
    assert told.agent_said == ["Hello.", REPLY]
    (first, second) = call(told).ear.gaps()
    assert samples(ms(400)) < second.end - second.start < samples(ms(900))
    assert all(earlier.end < later.start for earlier, later in pairwise([first, second]))
