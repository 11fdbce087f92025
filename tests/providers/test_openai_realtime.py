"""A transcription session: turns in their order, nothing lost with a connection, and no use for what is forgotten."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from live_openai import LiveOpenAI
from openai_kit import KEY, LOUD, drain, utterance

from offhook.conversation.expectation import Expectation
from offhook.errors import ConfigurationError, Failure
from offhook.providers.interfaces import Transcript
from offhook.providers.openai_client import OpenAIError
from offhook.providers.transcribers.openai_realtime import RealtimeTranscriber
from offhook.providers.transcribers.openai_session import TranscriptionSession
from offhook.simulator.openai_server import Fault, LocalOpenAI, Pace, Script, Stage, Trouble
from polling import until

Story = Callable[[LocalOpenAI, RealtimeTranscriber, TranscriptionSession], Awaitable[None]]
FRAME = LOUD * 160


def heard_length(rate: int, samples: object) -> str:
    """What a server says that tells the length of what it hears, in ms."""
    return f"{len(samples) * 1000 // rate} ms"  # type: ignore[arg-type]


def tell(story: Story, script: Script, timeout: float = 2.0, renewal: float = 60.0, *, live: bool = False) -> None:
    async def told() -> None:
        async with LiveOpenAI(script) if live else LocalOpenAI(script) as server:
            ear = RealtimeTranscriber(api_key=KEY, base_url=server.base_url, timeout=timeout, renewal=renewal)
            session = ear.listen("en")
            await story(server, ear, session)
            await session.aclose()
            await ear.aclose()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(told())


def say(session: TranscriptionSession, frames: int) -> int:
    for _ in range(frames):
        session.append(FRAME)
    return session.commit()


async def final(session: TranscriptionSession, turn: int) -> str:
    last = (await drain(session.transcripts(turn)))[-1]
    assert last.final
    return str(last.text)


async def sessions(server: LocalOpenAI, count: int) -> None:
    """Until the server has seen so many, each agreed upon."""
    await until(lambda: [("model" in each.asked) for each in server.requests.of(Stage.REALTIME)] == [True] * count)


def test_frames_go_out_as_they_come_and_turns_are_ours() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        for _ in range(10):
            session.append(FRAME)
        await sessions(server, 1)
        await until(lambda: server.requests[0].asked["bytes"] >= 1_600)
        assert server.requests[0].asked["commits"] == []
        assert server.requests[0].asked["language"] == "en"
        assert await drain(session.transcripts(session.commit())) == [
            Transcript("200", final=False),
            Transcript("200 ms", final=False),
            Transcript("200 ms"),
        ]
        assert await final(session, say(session, 20)) == "400 ms"

    tell(story, Script(transcripts=heard_length))


def test_each_turn_gets_its_own_words_although_they_come_in_another_order() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        first, second = say(session, 10), say(session, 30)
        assert (first, second) == (1, 2)
        assert [await final(session, first), await final(session, second)] == ["200 ms", "600 ms"]

    tell(story, Script(transcripts=heard_length, scrambled=True))


def test_a_tiny_turn_is_padded() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        assert await final(session, say(session, 1)) == "125 ms"

    tell(story, Script(transcripts=heard_length))


def test_what_was_nothing_is_cleared() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        session.append(FRAME * 50)
        await sessions(server, 1)
        session.append(FRAME)
        session.clear()
        assert await final(session, say(session, 10)) == "200 ms"

    tell(story, Script(transcripts=heard_length))


def test_a_lost_connection_is_made_anew_with_all_that_is_unanswered() -> None:
    """The first connection is cut at the second commit: both turns, and the open one, are told again."""

    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        first, second = say(session, 10), say(session, 20)
        session.append(FRAME * 5)
        assert [await final(session, first), await final(session, second)] == ["200 ms", "400 ms"]
        session.append(FRAME * 25)
        assert await final(session, session.commit()) == "600 ms"
        assert [each.asked["commits"] for each in server.requests] == [[0.2, 0.4], [0.2, 0.4, 0.6]]

    cut = Fault(Stage.REALTIME, Trouble.CLOSE, (1,), after=2)
    tell(story, Script(transcripts=heard_length, transcription=Pace(0.05), faults=[cut]))


def test_an_expired_session_is_made_anew() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        session.append(FRAME * 10)
        await sessions(server, 2)
        assert await final(session, session.commit()) == "200 ms"

    tell(story, Script(transcripts=heard_length, expiry=0.05))


def test_an_old_connection_is_replaced_in_a_pause() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        first = say(session, 10)
        assert await final(session, first) == "200 ms"
        await sessions(server, 2)
        assert await final(session, say(session, 10)) == "200 ms"
        assert server.requests[0].ended is not None
        assert server.requests[0].asked["commits"] == [0.2]

    tell(story, Script(transcripts=heard_length, transcription=Pace(0.08)), renewal=0.05)


def test_a_key_that_is_not_taken_is_tried_once() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        session.open()
        await until(lambda: server.requests and server.requests[0].ended is not None)
        for _ in range(3):
            session.append(FRAME)
            with pytest.raises(OpenAIError) as raised:
                await final(session, say(session, 10))
            assert (raised.value.kind, raised.value.status) == (Failure.REFUSED, 401)
        assert len(server.requests) == 1

    tell(story, Script(key="another"))


def test_a_key_that_is_taken_again_is_used_by_the_next_utterance() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        for count in (1, 2):
            with pytest.raises(OpenAIError) as raised:
                await drain(ear.transcribe(utterance(0.5)))
            assert raised.value.status == 401
            assert len(server.requests) == count
        server.script = Script(transcripts=heard_length)
        assert (await drain(ear.transcribe(utterance(0.5))))[-1] == Transcript("500 ms")

    tell(story, Script(key="another"))


def test_a_key_that_only_the_socket_refuses_is_a_setting_that_is_wrong() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        with pytest.raises(ConfigurationError, match=r"does not accept OPENAI_API_KEY \(401\)$"):
            await ear.ready()

    tell(story, Script(faults=[Fault(Stage.REALTIME, Trouble.UNAUTHORIZED)]))


def test_a_server_that_does_not_come_back_is_given_up() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        with pytest.raises(OpenAIError) as raised:
            await final(session, say(session, 10))
        assert raised.value.kind is Failure.UNREACHABLE
        assert len(server.requests) == 3

    tell(story, Script(faults=[Fault(Stage.REALTIME, Trouble.REFUSE)]))


def test_a_server_that_asks_to_be_left_alone_is_tried_once() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        with pytest.raises(OpenAIError) as raised:
            await final(session, say(session, 10))
        assert raised.value.retry_after == 20
        assert len(server.requests) == 1

    tell(story, Script(faults=[Fault(Stage.REALTIME, Trouble.OVERLOADED, seconds=20)]))


def test_an_unknown_model_is_refused_when_the_session_begins() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        with pytest.raises(OpenAIError, match="does not exist") as raised:
            await final(session, say(session, 10))
        assert raised.value.kind is Failure.REFUSED

    tell(story, Script(models=["whisper-1"]))


def test_no_transcript_in_time_is_a_timeout_and_the_next_turn_works() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        with pytest.raises(OpenAIError) as raised:
            await final(session, say(session, 10))
        assert raised.value.kind is Failure.TIMEOUT
        server.script = Script(transcripts=heard_length)
        assert await final(session, say(session, 20)) == "400 ms"

    tell(story, Script(transcription=Pace(30)), timeout=0.2)


def test_utterances_share_sessions_and_a_cancelled_one_leaves_no_trace() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        for _ in range(3):
            assert (await drain(ear.transcribe(utterance(0.5))))[-1] == Transcript("500 ms")
            task = asyncio.create_task(drain(ear.transcribe(utterance(0.7))))
            await asyncio.sleep(0.005)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert len(server.requests) == 1
        both = await asyncio.gather(*(drain(ear.transcribe(utterance(each))) for each in (0.3, 0.4)))
        assert [found[-1].text for found in both] == ["300 ms", "400 ms"]
        assert len(server.requests) == 2

    tell(story, Script(transcripts=heard_length, transcription=Pace(0.02)))


def test_a_turn_that_is_forgotten_half_way_is_not_part_of_the_next() -> None:
    """Its audio is on the way when it is dropped, and another turn waits behind it."""

    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        session.append(LOUD * 8_000 * 30)
        await sessions(server, 1)
        first = session.commit()
        second = say(session, 10)
        while not server.requests[0].asked["bytes"]:  # noqa: ASYNC110
            await asyncio.sleep(0)
        session.forget(first)
        assert await final(session, second) == "200 ms"

    tell(story, Script(transcripts=heard_length))


def test_partial_transcripts_may_be_awaited_while_the_caller_still_speaks() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        reading = asyncio.create_task(final(session, session.append(FRAME * 10)))
        await asyncio.sleep(0.15)
        session.commit()
        assert await reading == "200 ms"

    tell(story, Script(transcripts=heard_length), timeout=0.1)


def test_hints_follow_the_question() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        await drain(ear.transcribe(utterance(1, (), "en")))
        asked = server.requests[0].asked
        assert (asked.get("language"), asked.get("prompt")) == ("en", None)
        last = (await drain(ear.transcribe(utterance(1, ("red", "green"), "de"))))[-1]
        assert (asked["language"], asked["prompt"]) == ("de", "The caller may say: red, green.")
        assert last == Transcript("", understood=False)

    tell(story, Script(transcripts=["hello", "the caller may say red green"]))


def test_a_stream_is_told_what_the_next_turn_may_say() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        asked = []
        for keywords in ((), ("red", "green"), ("blue",)):
            session.expect(Expectation(keywords=keywords))
            turn = session.append(FRAME * 50)
            assert session.commit() == turn
            said = [transcript async for transcript in session.transcripts(turn)][-1]
            asked.append((server.requests[-1].asked.get("prompt"), said))
        assert asked == [
            (None, Transcript("hello")),
            ("The caller may say: red, green.", Transcript("", understood=False)),
            ("The caller may say: blue.", Transcript("blue")),
        ]

    tell(story, Script(transcripts=["hello", "the caller may say red green", "blue"]))


def test_words_come_before_the_commit_from_a_model_that_transcribes_as_it_hears() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        for words in (["one"], ["one", "one two"]):
            for number, text in enumerate(words):
                turn = session.append(FRAME * 50)
                if number == 0:
                    reading = session.transcripts(turn)
                assert (await anext(reading)) == Transcript(text, final=False)
            assert session.commit() == turn
            assert [last async for last in reading][-1] == Transcript(words[-1])
        assert server.requests[0].asked["commits"] == [1.0, 2.0]

    tell(story, Script(transcripts=a_word_a_second), live=True)


def test_words_of_what_was_cleared_are_no_part_of_the_next_turn() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        reading = session.transcripts(session.append(FRAME * 100))
        assert [(await anext(reading)).text for _ in range(2)] == ["one", "one two"]
        session.clear()
        await reading.aclose()
        assert await final(session, say(session, 50)) == "one"
        assert server.requests[0].asked["commits"] == [1.0]

    tell(story, Script(transcripts=a_word_a_second), live=True)


def test_a_turn_that_has_failed_connects_no_more_however_long_it_grows() -> None:
    async def story(server: LocalOpenAI, ear: RealtimeTranscriber, session: TranscriptionSession) -> None:
        turn = session.append(FRAME)
        with pytest.raises(OpenAIError):
            await anext(session.transcripts(turn))
        for _ in range(5):
            session.append(FRAME)
            await asyncio.sleep(0.01)
        session.commit()
        await asyncio.sleep(0.01)
        assert len(server.requests) == 1
        with pytest.raises(OpenAIError):
            await final(session, say(session, 10))
        assert len(server.requests) == 2

    tell(story, Script(models=["whisper-1"]))


def a_word_a_second(rate: int, samples: object) -> str:
    """What a server says that hears "one two three", a word a second."""
    return " ".join(["one", "two", "three"][: len(samples) // rate])  # type: ignore[arg-type]
