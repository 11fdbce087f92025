"""Stories of a transcriber that listens while the caller speaks."""

from kit import agent, asked, call, over_the_agent, speech, tell, turn
from streams import ScriptedListener, heard

from offhook.call.inputs import TranscriptArrived
from offhook.call.tape import read
from offhook.conversation.messages import Role
from offhook.errors import Failure, ProviderError
from offhook.providers.scripted import ScriptedModel
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import ms


def partials(told: Rehearsal) -> list[tuple[int, str]]:
    """What the call was told while the caller spoke."""
    return [
        (step.now, step.input.text)
        for step in read(bytes(told.tape)).steps
        if isinstance(step.input, TranscriptArrived) and not step.input.final
    ]


async def asks(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room today please"))
    await caller.listen_until_quiet(0.8)


def test_words_reach_the_call_before_the_caller_has_spoken_them_all() -> None:
    ears = ScriptedListener(lag=0.25)
    told = tell(agent("Fine.", stt=ears), asks)
    assert told.user_said == ["book a room today please"]
    assert ears.uploads == []
    (stream,) = ears.streams
    assert stream.closed
    (said,) = call(told).said
    assert [text for now, text in partials(told) if now < said.end] == [
        "book",
        "book a",
        "book a room",
        "book a room today",
    ]


def test_a_turn_with_pauses_is_sent_once_and_used_whole() -> None:
    ears = ScriptedListener()
    mind = ScriptedModel(["Fine."])

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(0.35)
        await caller.say(speech("today"))
        await caller.pause(0.5)
        await caller.say(speech("please"))
        await caller.listen_until_quiet(0.8)

    told = tell(agent(stt=ears, llm=mind), script)
    assert told.user_said == ["book a room today please"]
    assert [message.text for message in asked(mind)[-1] if message.role is Role.USER] == ["book a room today please"]
    assert [heard(audio).text for audio in ears.streams[0].committed] == ["book a room", "today", "please"]


def test_no_reply_to_half_a_sentence_is_asked_for() -> None:
    mind = ScriptedModel(["Fine."])

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room and a"))
        await caller.pause(1.0)
        await caller.say(speech("view"))
        await caller.listen_until_quiet(0.8)

    told = tell(agent(stt=ScriptedListener(), llm=mind), script)
    assert told.user_said == ["book a room and a view"]
    assert [messages[-1].text for messages in asked(mind)] == ["book a room and a view"]


def test_what_is_said_over_the_agent_is_streamed_too() -> None:
    ears = ScriptedListener()
    speaker = agent("We have many rooms for you and all of them are free.", "Fine.", stt=ears)
    told = tell(speaker, over_the_agent("stop please", after=0.6, then=0.8))
    assert told.user_said == ["book a room", "stop please"]
    assert ears.uploads == []


def test_another_transcriber_takes_over_where_no_session_can_be_had() -> None:
    ears = ScriptedListener(fails=ProviderError(Failure.UNREACHABLE, "no session"))
    other = ScriptedListener()
    told = tell(agent("Fine.", stt=[ears, other]), asks)
    assert told.user_said == ["book a room today please"]
    assert ears.uploads == []
    assert [heard(each.mulaw).text for each in other.uploads] == ["book a room today please"]


def test_silence_is_not_sent() -> None:
    ears = ScriptedListener()

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(5)

    tell(agent("Fine.", stt=ears), script)
    assert sum(ears.streams[0].appended) < len(speech("book a room today please").mulaw) + 8_000


def test_the_reply_comes_no_later_than_from_an_upload() -> None:
    streamed = turn(tell(agent("Fine.", stt=ScriptedListener(delay=0.2)), asks), "book a room today please")
    assert streamed.response_delay is not None
    assert streamed.response_delay < ms(1060)


def test_the_reply_is_begun_with_what_is_known_of_the_words() -> None:
    mind = ScriptedModel(["Fine."])
    told = tell(agent(stt=ScriptedListener(lag=0.1, delay=0.6), llm=mind), asks)
    assert told.user_said == ["book a room today please"]
    (timed,) = told.delays
    assert timed.transcribed > ms(550)
    assert timed.written < timed.transcribed
    assert timed.played < ms(1000)
    assert len([each for each in asked(mind) if each[-1].text == "book a room today please"]) == 1


def test_words_over_a_reply_that_is_taken_back_are_not_lost() -> None:
    """The turn is re-opened while the caller is still speaking."""
    ears = ScriptedListener()
    goes_on = over_the_agent("today please what about tomorrow", after=0, then=1)
    told = tell(agent("We have many rooms for you.", "Fine.", stt=ears), goes_on)
    assert told.user_said[-1] == "book a room today please what about tomorrow"
    assert ears.uploads == []


def test_nothing_is_lost_where_nothing_is_begun_ahead() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(0.4)
        await caller.say(speech("today please"))
        await caller.listen_until_quiet(1.0)

    ears = ScriptedListener()
    told = tell(agent("Fine.", stt=ears, speculate=False), script)
    assert told.user_said == ["book a room today please"]
    assert ears.uploads == []
