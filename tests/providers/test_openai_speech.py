"""A conversation with a speech model over a real WebSocket: each word is in it once, and nothing that nobody heard."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest
from openai_kit import KEY, LOUD, drain, utterance

from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall, ToolSpec
from offhook.errors import ConfigurationError, Failure
from offhook.providers import registry
from offhook.providers.interfaces import Transcript, Usage
from offhook.providers.openai_client import OpenAIError
from offhook.providers.speech.openai import OpenAISpeech
from offhook.providers.speech.openai_session import OpenAISpeechSession
from offhook.providers.speech_interface import Briefing, SpeechModel, SpeechSession
from offhook.simulator.openai_server import Fault, LocalOpenAI, Pace, Script, Stage, ToolUse, Trouble, Turn

Story = Callable[[LocalOpenAI, OpenAISpeechSession], Awaitable[None]]

WEATHER = ToolSpec("weather", "Tells the weather", {"type": "object", "properties": {}})
BRIEFING = Briefing("Be brief.", "en", (WEATHER,))
WORD = 2_400
"""Samples of a word of the server's."""


def heard_length(rate: int, samples: Any) -> str:
    return f"{len(samples) * 1000 // rate} ms"


SCRIPT = Script(transcripts=heard_length, replies=["one two three four"])


def tell(story: Story, script: Script = SCRIPT, timeout: float = 2.0, renewal: float = 60.0) -> None:
    async def told() -> None:
        async with LocalOpenAI(script) as server, asyncio.timeout(20):
            model = OpenAISpeech(api_key=KEY, base_url=server.base_url, timeout=timeout, renewal=renewal)
            await story(server, model.session(BRIEFING))
            await model.aclose()
            await until(lambda: not server.connections and asyncio.all_tasks() == {asyncio.current_task()})
            assert server.requests.running == []

    asyncio.run(told())


def fault(trouble: Trouble, *requests: int, after: int = 1) -> Script:
    return Script(
        transcripts=heard_length,
        replies=["one two three four"],
        faults=[Fault(Stage.REALTIME, trouble, requests, after)],
    )


async def turn(session: SpeechSession, number: int, seconds: float = 0.5) -> tuple[str, list[Any]]:
    """The caller speaks (request `number`) and is answered (the next one): the words, and the pieces of the answer."""
    words, pieces = await asyncio.gather(
        drain(session.hear(number, utterance(seconds))), drain(session.reply(number + 1))
    )
    return words[-1].text, pieces


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(2):
        while not true():  # noqa: ASYNC110 - the other side's
            await asyncio.sleep(0.001)


async def some(stream: AsyncIterator[Any], sound: int) -> int:
    """So much of a reply's sound, and then no more of it: how much came."""
    came = 0
    async with aclosing(cast(Any, stream)) as pieces:
        async for piece in pieces:
            came += len(piece) if isinstance(piece, bytes) else 0
            if came >= sound:
                break
    return came


def text(pieces: list[Any]) -> str:
    return "".join(piece for piece in pieces if isinstance(piece, str))


def sound(pieces: list[Any]) -> int:
    return sum(len(piece) for piece in pieces if isinstance(piece, bytes))


def conversation(server: LocalOpenAI) -> list[tuple[str, str, int]]:
    """What the server of the last connection holds: who, what, and how many milliseconds of sound."""
    items = server.requests[-1].asked.get("items", [])
    return [(item.role or item.type, item.text, item.samples // 8) for item in items]


def test_a_turn_is_heard_and_answered() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        words, pieces = await turn(session, 1)
        assert words == "500 ms"
        assert (text(pieces), sound(pieces)) == ("one two three four", 4 * WORD)
        assert pieces[-1] == Usage(6, 4)
        assert conversation(server) == [("user", "500 ms", 500), ("assistant", "one two three four", 1_200)]
        assert server.requests[0].asked["errors"] == []

    tell(story)


def test_the_session_is_what_was_asked_for() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        session.open()
        await until(lambda: server.requests and "session" in server.requests[0].asked)
        told = server.requests[0].asked["session"]
        assert told["instructions"] == "Be brief."
        assert told["tools"][0]["name"] == "weather"
        assert told["audio"]["input"] == {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
            "turn_detection": None,
        }
        assert told["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "marin"}

    tell(story)


@pytest.mark.parametrize(
    ("trouble", "kind", "words"),
    [
        (Trouble.OTHER_FORMAT, Failure.REFUSED, "mu-law"),
        (Trouble.OTHER_TURNS, Failure.REFUSED, "turns"),
        (Trouble.MUTE, Failure.TIMEOUT, "0.3 s"),
        (Trouble.GARBAGE, Failure.BROKEN, "sense"),
        (Trouble.HANG, Failure.TIMEOUT, "0.3 s"),
        (Trouble.REFUSE, Failure.UNREACHABLE, "gpt-realtime"),
        (Trouble.UNAUTHORIZED, Failure.REFUSED, "401"),
        (Trouble.OVERLOADED, Failure.OVERLOADED, "429"),
        (Trouble.BROKEN, Failure.BROKEN, "500"),
    ],
)
def test_no_audio_flows_where_the_session_is_not_as_it_must_be(trouble: Trouble, kind: Failure, words: str) -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        hearing = asyncio.create_task(drain(session.hear(1, utterance())))
        await asyncio.sleep(0)
        with pytest.raises(OpenAIError, match=words) as raised:
            await drain(session.reply(2))
        assert raised.value.kind is kind
        await asyncio.gather(hearing, return_exceptions=True)
        assert sum(request.asked.get("bytes", 0) for request in server.requests) == 0

    tell(story, fault(trouble), timeout=0.3 if kind is Failure.TIMEOUT else 3.0)


def test_a_model_that_is_not_ready_says_so() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        model = OpenAISpeech(api_key=KEY, base_url=server.base_url)
        assert isinstance(model, SpeechModel)
        assert isinstance(session, SpeechSession)
        await model.ready()
        another = OpenAISpeech("gpt-unheard-of", api_key=KEY, base_url=server.base_url)
        with pytest.raises(ConfigurationError, match="gpt-unheard-of"):
            await another.ready()
        await another.aclose()
        server.script = fault(Trouble.OTHER_FORMAT)
        with pytest.raises(OpenAIError, match="mu-law"):
            await model.ready()
        await model.aclose()

    tell(story)


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


def test_a_tiny_turn_is_padded_and_a_long_one_is_whole() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        assert (await turn(session, 1, 0.01))[0] == "125 ms"
        assert (await turn(session, 3, 20.0))[0] == "20000 ms"

    tell(story)


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


def test_many_calls_at_once_and_one_that_hangs_up_amid() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        model = OpenAISpeech(api_key=KEY, base_url=server.base_url)
        sessions = [model.session(BRIEFING) for _ in range(8)]
        answers = await asyncio.gather(*(turn(each, 1, 0.2 + n / 10) for n, each in enumerate(sessions)))
        assert [words for words, _ in answers] == [f"{200 + 100 * n} ms" for n in range(8)]
        leaving = asyncio.create_task(turn(sessions[0], 3))
        await asyncio.sleep(0.001)
        await sessions[0].aclose()
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        await model.aclose()

    tell(story)


def test_silence_is_not_sent() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        session.open()
        await until(lambda: server.requests and "session" in server.requests[0].asked)
        await asyncio.sleep(0.02)
        assert server.requests[0].asked["bytes"] == 0
        await turn(session, 1, 0.5)
        assert server.requests[0].asked["bytes"] == len(LOUD) * 4_000

    tell(story)


def test_a_name_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "offhook_here-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: offhook_here\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[offhook.speech]\nopenai = offhook.providers.speech.openai:speech\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert isinstance(registry.speech("openai/gpt-realtime-mini"), OpenAISpeech)
    with pytest.raises(ConfigurationError, match="speech model"):
        registry.speech("opeani")
