"""What a speech model's conversation holds: each word once, in its place, and nothing that nobody heard."""

import asyncio

import pytest
from openai_kit import drain, utterance
from openai_speech_kit import WORD, conversation, heard_length, some, sound, tell, text, turn

from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall
from offhook.providers.speech.openai_session import OpenAISpeechSession
from offhook.simulator.openai_server import LocalOpenAI, Pace, Script, ToolUse, Turn
from polling import until


def test_a_turn_that_goes_on_is_heard_once() -> None:
    """At the pause a reply is begun; the caller goes on, before anything has come back, and says the whole turn."""

    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        for number in range(1, 9, 2):
            hearing = asyncio.create_task(drain(session.hear(number, utterance(number / 10))))
            replying = asyncio.create_task(drain(session.reply(number + 1)))
            await asyncio.sleep(0 if number < 5 else 0.02)
            hearing.cancel()
            replying.cancel()
            session.forget(number)
            session.forget(number + 1)
            await asyncio.gather(hearing, replying, return_exceptions=True)
        words, pieces = await turn(session, 9, 0.9)
        assert (words, text(pieces)) == ("900 ms", "one two three four")
        assert conversation(server) == [("user", "900 ms", 900), ("assistant", "one two three four", 1_200)]
        asked = server.requests[0].asked
        assert asked["contexts"][-1] == [{"role": "user", "content": "900 ms"}]
        assert asked["statuses"].count("completed") == 1
        assert asked["errors"] == []
        assert pieces[-1].input > 6, "what was wasted is counted too"

    tell(story, Script(transcripts=heard_length, replies=["one two three four"], reply=Pace(0.01, 0.01)))


def test_a_whole_reply_that_was_guessed_at_in_vain_is_forgotten() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await turn(session, 1, 0.3)
        session.forget(1)
        session.forget(2)
        await turn(session, 3, 0.6)
        assert conversation(server) == [("user", "600 ms", 600), ("assistant", "one two three four", 1_200)]

    tell(story)


@pytest.mark.parametrize("begun", [False, True], ids=["whole", "amid"])
def test_an_interrupted_reply_is_cut_to_what_was_heard(begun: bool) -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance(0.5)))
        await (some(session.reply(2), 2 * WORD) if begun else drain(session.reply(2)))
        session.cut(2, WORD + 801, "one")
        words, pieces = await turn(session, 3, 0.7)
        assert (words, text(pieces)) == ("700 ms", "one two three four")
        assert conversation(server)[:3] == [("user", "500 ms", 500), ("assistant", "", 400), ("user", "700 ms", 700)]
        assert server.requests[0].asked["errors"] == []

    tell(story, Script(transcripts=heard_length, replies=["one two three four"], reply=Pace(0, 0.01)))


@pytest.mark.parametrize("heard", [0, 4 * WORD, 9 * WORD])
def test_a_reply_that_was_not_or_wholly_heard(heard: int) -> None:
    """Nothing is truncated to more than there is, and nothing stays of which nothing was heard."""

    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await turn(session, 1)
        session.cut(2, heard, "one two three four" if heard else "")
        await turn(session, 3)
        replies = [each for each in conversation(server) if each[0] == "assistant"]
        assert len(replies) == (2 if heard else 1)
        assert {each[2] for each in replies} == {1_200}
        assert server.requests[0].asked["errors"] == []

    tell(story)


def test_an_interruption_before_the_first_sound() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance(0.5)))
        replying = asyncio.create_task(drain(session.reply(2)))
        await until(lambda: server.requests[0].asked["contexts"])
        replying.cancel()
        session.cut(2, 0, "")
        await turn(session, 3)
        assert [each[0] for each in conversation(server)] == ["user", "user", "assistant"]
        assert server.requests[0].asked["statuses"] == ["cancelled", "completed"]

    tell(story, Script(transcripts=heard_length, replies=["one"], reply=Pace(0.1)))


@pytest.mark.parametrize("begun", [False, True], ids=["before", "amid"])
def test_cancelling_stops_the_model_within_50_ms(begun: bool) -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance(0.5)))
        replying = asyncio.create_task(some(session.reply(2), 99 * WORD))
        await until(lambda: server.requests[0].asked["contexts"])
        await until(lambda: not begun or conversation(server)[-1][2] >= 300)
        replying.cancel()
        began = asyncio.get_running_loop().time()
        await asyncio.gather(replying, return_exceptions=True)
        await until(lambda: server.requests[0].asked["statuses"] == ["cancelled"])
        assert asyncio.get_running_loop().time() - began < 0.05

    tell(story, Script(transcripts=heard_length, replies=["one two three"], reply=Pace(0 if begun else 0.5, 0.5)))


def test_tools_are_called_and_answered() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        _, pieces = await turn(session, 1)
        calls = [piece for piece in pieces if isinstance(piece, ToolCall)]
        assert text(pieces) == "Let me see."
        assert [(call.name, call.arguments) for call in calls] == [("weather", '{"at": "Oslo"}'), ("weather", "{}")]
        for call in calls:
            session.note(Message(Role.TOOL, "rain", answers=call.id))
        assert text(await drain(session.reply(3))) == "It rains."
        results = [each for each in conversation(server) if each[0] == "function_call_output"]
        assert [each[1] for each in results] == ["rain", "rain"]
        assert server.requests[0].asked["errors"] == []

    uses = (ToolUse("weather", '{"at": "Oslo"}'), ToolUse("weather"))
    tell(story, Script(transcripts=heard_length, replies=[Turn("Let me see.", uses), "wrong", "It rains."]))


def test_what_is_spoken_for_us_is_no_part_of_the_conversation_but_what_is_noted_is() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        spoken, again = await asyncio.gather(*(drain(session.speak(n, "Hello there, caller.")) for n in (1, 2)))
        assert sound(spoken) == sound(again) == 3 * WORD
        session.note(Message(Role.ASSISTANT, "Hello there,"))
        session.note(Message(Role.USER, "[pressed on the keypad: 12]"))
        assert text(await drain(session.reply(3))) == "one two three four"
        assert [each[:2] for each in conversation(server)] == [
            ("assistant", "Hello there,"),
            ("user", "[pressed on the keypad: 12]"),
            ("assistant", "one two three four"),
        ]

    tell(story)


def test_who_talks_over_us_came_after_what_we_said() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await turn(session, 1)
        await drain(session.hear(3, utterance(0.7)))
        session.note(Message(Role.ASSISTANT, "By the"))
        session.note(Message(Role.USER, "[pressed on the keypad: 1]"))
        await drain(session.reply(4))
        assert [each[1] for each in conversation(server)] == [
            "500 ms", "one two three four", "By the", "700 ms", "[pressed on the keypad: 1]", "one two three four",
        ]  # fmt: skip
        assert server.requests[0].asked["errors"] == []

    tell(story)


def test_who_talks_over_the_greeting_came_after_it() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance(0.7)))
        session.note(Message(Role.ASSISTANT, "Hello and"))
        await drain(session.reply(2))
        assert [each[1] for each in conversation(server)] == ["Hello and", "700 ms", "one two three four"]

    tell(story)
