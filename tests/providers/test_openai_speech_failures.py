"""A speech model's connection that is lost, expires or is replaced, and replies that fail or never come."""

import asyncio
from typing import Any, cast

import pytest
from openai_kit import drain, utterance
from openai_speech_kit import SCRIPT, WORD, conversation, fault, heard_length, sound, tell, text, turn

from offhook.conversation.messages import Message, Role
from offhook.errors import Failure
from offhook.providers.interfaces import Transcript
from offhook.providers.openai_client import OpenAIError
from offhook.providers.speech.openai_session import OpenAISpeechSession
from offhook.simulator.openai_server import Fault, LocalOpenAI, Pace, Script, Stage, Trouble
from polling import until


def test_a_connection_that_is_lost_between_turns_is_told_what_was_said() -> None:
    """The second reply is cut at its first word, unheard: it is asked for again over the second connection."""

    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        session.note(Message(Role.ASSISTANT, "Hello."))
        await turn(session, 1)
        session.cut(2, 2 * WORD, "one two")
        words, pieces = await turn(session, 3, 0.7)
        assert (words, text(pieces), sound(pieces)) == ("700 ms", "one two three four", 4 * WORD)
        assert len(server.requests) == 2
        assert [each[:2] for each in conversation(server)] == [
            ("assistant", "Hello."),
            ("user", "500 ms"),
            ("assistant", "one two"),
            ("user", "700 ms"),
            ("assistant", "one two three four"),
        ]

    tell(story, fault(Trouble.CLOSE, 1, after=4))


def test_a_connection_that_is_lost_amid_a_reply_fails_that_reply_alone() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance(0.5)))
        with pytest.raises(OpenAIError, match="midst") as raised:
            await drain(session.reply(2))
        assert raised.value.kind is Failure.BROKEN
        session.cut(2, WORD, "one")
        assert text((await turn(session, 3))[1]) == "one two three four"
        assert [each[:2] for each in conversation(server)][:2] == [("user", "500 ms"), ("assistant", "one")]
        assert server.requests[1].asked["errors"] == []

    tell(story, fault(Trouble.CLOSE, 1, after=2))


def test_an_expired_session_is_taken_up_again() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await turn(session, 1)
        await until(lambda: len(server.requests) >= 2)
        server.script = SCRIPT
        await turn(session, 3)
        assert [each[1] for each in conversation(server)][:2] == ["500 ms", "one two three four"]

    tell(story, Script(transcripts=heard_length, replies=["one two three four"], expiry=0.1))


def test_an_old_connection_is_replaced_in_a_pause_and_a_cut_still_holds() -> None:
    """The reply was made over the first connection and is cut over the second, where it is text."""

    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await turn(session, 1)
        await until(lambda: len(server.requests) == 2 and len(conversation(server)) == 2)
        assert server.requests[0].ended is not None
        hearing = asyncio.create_task(drain(session.hear(3, utterance(0.7))))
        await until(lambda: len(conversation(server)) == 3)
        session.cut(2, 2 * WORD, "one two")
        await drain(session.reply(4))
        await hearing
        assert [each[:2] for each in conversation(server)] == [
            ("user", "500 ms"),
            ("assistant", "one two"),
            ("user", "700 ms"),
            ("assistant", "one two three four"),
        ]
        assert server.requests[1].asked["errors"] == []

    pace = Pace(0.1)
    tell(story, Script(transcripts=heard_length, replies=["one two three four"], reply=pace), renewal=0.15)


def test_a_reply_that_fails_fails_by_kind_and_the_next_one_works() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance()))
        with pytest.raises(OpenAIError) as raised:
            await drain(session.reply(2))
        assert raised.value.kind is Failure.OVERLOADED
        assert raised.value.retryable
        assert len(server.requests) == 1

    tell(story, fault(Trouble.FAILED))


def test_a_key_that_is_not_taken_is_tried_once() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        session.open()
        await until(lambda: server.requests and server.requests[0].ended is not None)
        for stream in (session.speak(1, "Hello."), session.hear(2, utterance()), session.reply(3)):
            with pytest.raises(OpenAIError) as raised:
                await drain(cast(Any, stream))
            assert (raised.value.kind, raised.value.status) == (Failure.REFUSED, 401)
        assert len(server.requests) == 1

    tell(story, Script(key="another"))


def test_a_server_that_asks_to_be_left_alone_is_tried_once() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        with pytest.raises(OpenAIError) as raised:
            await drain(session.speak(1, "Hello."))
        assert raised.value.retry_after == 20
        assert len(server.requests) == 1

    tell(story, Script(faults=[Fault(Stage.REALTIME, Trouble.OVERLOADED, seconds=20)]))


def test_a_model_that_says_nothing_is_broken_and_one_that_never_comes_is_too_late() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance()))
        with pytest.raises(OpenAIError) as raised:
            await drain(session.reply(2))
        assert raised.value.kind is Failure.BROKEN
        server.script = Script(transcripts=heard_length, reply=Pace(30))
        with pytest.raises(OpenAIError) as raised:
            await drain(session.reply(3))
        assert raised.value.kind is Failure.BROKEN or raised.value.kind is Failure.TIMEOUT

    tell(story, Script(transcripts=heard_length, replies=[""]), timeout=0.2)


def test_after_a_timeout_the_next_turn_works() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        await drain(session.hear(1, utterance(0.5)))
        with pytest.raises(OpenAIError) as raised:
            await drain(session.reply(2))
        assert raised.value.kind is Failure.TIMEOUT
        server.script = SCRIPT
        assert text((await turn(session, 3))[1]) == "one two three four"
        assert [each[0] for each in conversation(server)] == ["user", "user", "assistant"]

    tell(story, Script(transcripts=heard_length, replies=["one"], reply=Pace(30)), timeout=0.2)


def test_words_that_never_come_do_not_spoil_the_reply() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        hearing = asyncio.create_task(drain(session.hear(1, utterance())))
        await asyncio.sleep(0)
        assert text(await drain(session.reply(2))) == "one two three four"
        assert (await hearing)[-1] == Transcript("", understood=False)

    script = Script(transcripts=heard_length, replies=["one two three four"], transcription=Pace(30))
    tell(story, script, timeout=0.2)
