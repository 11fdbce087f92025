"""A speech model over a real WebSocket: how a session begins, what it is asked for, and what is sent."""

import asyncio
from pathlib import Path

import pytest
from openai_kit import KEY, LOUD, drain, utterance
from openai_speech_kit import BRIEFING, WORD, conversation, fault, sound, tell, text, turn

from offhook.errors import ConfigurationError, Failure
from offhook.providers import registry
from offhook.providers.interfaces import Usage
from offhook.providers.openai_client import OpenAIError
from offhook.providers.speech.openai import OpenAISpeech
from offhook.providers.speech.openai_session import OpenAISpeechSession
from offhook.providers.speech_interface import SpeechModel, SpeechSession
from offhook.simulator.openai_server import LocalOpenAI, Trouble
from polling import until


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


def test_a_tiny_turn_is_padded_and_a_long_one_is_whole() -> None:
    async def story(server: LocalOpenAI, session: OpenAISpeechSession) -> None:
        assert (await turn(session, 1, 0.01))[0] == "125 ms"
        assert (await turn(session, 3, 20.0))[0] == "20000 ms"

    tell(story)


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
