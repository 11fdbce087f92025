"""Stories of words that come in pieces, or for a part of what is said: what is decided by them, and what is not yet."""

import pytest
from kit import agent, call, ears, orders, over_the_agent, over_the_greeting, recognise, speech, tell
from streams import ScriptedListener

from offhook.call.inputs import SayOrdered
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Transcriber, Transcript, Utterance
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber
from offhook.simulator.caller import SimulatedCaller
from offhook.timebase import seconds

REPLY = "We have a large room with a window and a small room without one on the second floor."


@pytest.mark.parametrize("stt", [ears(), ScriptedListener()], ids=["upload", "stream"])
def test_who_interrupts_and_goes_on_is_answered_whole_where_nothing_is_done_ahead(stt: Transcriber) -> None:
    goes_on = over_the_agent("stop", 0.35, "what about tomorrow", after=0.8, then=2.5)
    told = tell(agent(REPLY, "Fine.", stt=stt, speculate=False), goes_on)
    assert told.user_said == ["book a room", "stop what about tomorrow"]
    assert told.agent_said[-1] == "Fine."


def answered(*texts: str) -> ScriptedTranscriber:
    """Every transcript after the first is the next of these, and comes word by word."""
    left = list(texts)

    def hear(utterance: Utterance) -> Transcript:
        found = recognise(utterance)
        return found if found.text == "book a room" else Transcript(left.pop(0) if left else "")

    return ScriptedTranscriber(by_audio=hear, delay=0.3, partials_every=0.1)


@pytest.mark.parametrize("nod", ["I see.", "That's right.", "Of course.", "Yeah, I see.", "Um, okay, of course."])
def test_a_nod_whose_first_word_comes_first_is_a_nod(nod: str) -> None:
    told = tell(agent(REPLY, stt=answered(nod)), over_the_agent("okay", after=0.8, then=2.5))
    assert told.user_said == ["book a room"]
    assert told.agent_said == ["Hello.", REPLY]


def test_a_nod_that_goes_on_does_not_make_us_go_on_first() -> None:
    stt = answered("Yeah but not tomorrow.")
    told = tell(agent(REPLY, "Fine.", stt=stt), over_the_agent("okay", after=0.8, then=2.5))
    resumed = [at for at, _ in call(told).ear.pieces() if at * 125 > call(told).cleared[0].at]
    assert told.user_said[-1] == "Yeah but not tomorrow."
    assert told.agent_said[-1] == "Fine."
    assert resumed[0] * 125 - call(told).said[-1].end > seconds(0.7), "only the answer was heard"


def test_the_first_word_of_a_transcript_does_not_end_the_turn() -> None:
    """ "No" ends one soon; "No, I wanted to" is waited for."""

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("no"))
        await caller.pause(1.2)
        await caller.say(speech("what about tomorrow"))
        await caller.listen_until_quiet(2)

    def hear(utterance: Utterance) -> Transcript:
        text = recognise(utterance).text
        return Transcript("No, I wanted to" if text == "no" else text)

    stt = ScriptedTranscriber(by_audio=hear, delay=0.9, partials_every=0.25)
    told = tell(agent("Fine.", stt=stt), script)
    assert told.user_said == ["no what about tomorrow"]


def test_a_look_that_comes_back_after_the_interruption_says_nothing() -> None:
    """It found no word in the first half second. The caller speaks on, and what fails then is apologised for."""
    stt = ScriptedTranscriber(["", ProviderError(Failure.BROKEN, "no")], delay=1.1)
    greeted = agent(greeting=REPLY, stt=stt, llm=ScriptedModel(["Fine."]))
    speaks_on = over_the_greeting("what about a room today and a view tomorrow then", after=0.4, then=3)
    told = tell(greeted, speaks_on, on_driver=orders((2.2, SayOrdered("By the way."))))
    assert len(stt.asked) == 2
    assert told.agent_said[1].startswith("I'm sorry")
    said = call(told).said[-1]
    assert not [at for at, _ in call(told).ear.pieces() if said.start + seconds(1) < at * 125 < said.end]
