"""Phrases that are spoken ahead: which, by whom, kept on disk, and played at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from kit import agent, voiced

from offhook import Agent
from offhook.audio import mulaw
from offhook.audio.level import active_speech
from offhook.audio.leveller import TARGET
from offhook.call.config import Phrases
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.errors import Failure, ProviderError
from offhook.providers.scripted import ScriptedVoice
from offhook.runtime.clock import starting_now
from offhook.runtime.driver import Driver
from offhook.runtime.phrases import Recordings, packaged, pieces_of
from offhook.runtime.services import Services
from offhook.simulator import world
from offhook.simulator.evidence import Loudness
from offhook.storage.phrase_store import PhraseStore

GREETING = "Hello! How can I help you?"


class Speaker(ScriptedVoice):
    """A voice with a fingerprint."""

    def __init__(self, fingerprint: str = "speaker 1", **given: Any) -> None:
        super().__init__(**given)
        self.fingerprint = fingerprint


class Fails(ScriptedVoice):
    def __init__(self, error: Exception, text: str = "") -> None:
        super().__init__()
        self.error = error
        self.text = text

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        if self.text in text:
            raise self.error
        async for audio in super().speak(text):
            yield audio


def spoken(agent: Agent, store: PhraseStore | None = None, patience: float = 10.0) -> dict[str, bytes]:
    """What an agent's calls are given once it has been prepared."""

    async def story() -> dict[str, bytes]:
        recordings = Recordings(Services.of(agent).voices, store)
        await recordings.prepare(agent, patience)
        found = recordings.of(agent)
        await recordings.aclose()
        return found

    return world.run(story(), limit=600)


def wanted(phrases: Phrases = Phrases()) -> set[str]:  # noqa: B008 - a constant
    texts = [GREETING, *(getattr(phrases, name) for name in phrases.__struct_fields__)]
    return {piece for text in texts for piece in pieces_of(text)}


def test_the_greeting_and_all_phrases_are_spoken_once_by_the_first_voice() -> None:
    first, second = ScriptedVoice(), ScriptedVoice()
    found = spoken(agent(greeting=GREETING, tts=[first, second]))
    assert set(found) == wanted()
    assert sorted(first.asked) == sorted(wanted())
    assert second.asked == []
    assert all(audio == voiced(piece) for piece, audio in found.items())


def test_the_greeting_comes_first() -> None:
    voice = ScriptedVoice()
    spoken(agent(greeting=GREETING, tts=voice))
    assert voice.asked[:2] == ["Hello!", "How can I help you?"]


def test_a_filler_of_two_sentences_is_there_as_a_whole() -> None:
    phrases = Phrases(filler="One moment. I'll have a look.")
    found = spoken(agent(greeting=GREETING, phrases=phrases))
    assert found[phrases.filler] == voiced("One moment. I'll have a look.")


def test_a_voice_that_fails_is_followed_by_the_next() -> None:
    found = spoken(agent(greeting=GREETING, tts=[Fails(ProviderError(Failure.BROKEN, "no")), ScriptedVoice()]))
    assert set(found) == wanted()


@pytest.mark.parametrize("error", [ProviderError(Failure.UNREACHABLE, "away"), ValueError("a plugin's own")])
def test_without_any_voice_there_is_what_the_package_carries(error: Exception) -> None:
    found = spoken(agent(greeting=GREETING, tts=Fails(error)))
    assert found == packaged()


def test_what_one_phrase_lacks_the_others_do_not(caplog: pytest.LogCaptureFixture) -> None:
    found = spoken(agent(greeting=GREETING, tts=Fails(ProviderError(Failure.REFUSED, "bad words", 400), "Hello")))
    assert set(found) == wanted() - {"Hello!"}
    assert f"1 of {len(wanted())} phrases could not be spoken ahead: bad words" in caplog.text


def test_a_voice_that_hangs_does_not_keep_the_server_from_being_ready() -> None:
    assert spoken(agent(greeting=GREETING, tts=ScriptedVoice(hang=True)), patience=3.0) == packaged()


def test_the_package_carries_the_apology_the_filler_and_the_goodbye() -> None:
    phrases = Phrases()
    texts = phrases.apology, phrases.filler, phrases.failure_goodbye
    assert set(packaged()) == {piece for text in texts for piece in pieces_of(text)}
    for audio in packaged().values():
        assert active_speech(mulaw.decode(audio)) == pytest.approx(TARGET, abs=0.5)


def test_phrases_are_kept_on_disk_with_the_level_of_their_voice(tmp_path: Path) -> None:
    loud: dict[str, Any] = {"sound": lambda word: bytes(400) + b"\x00\x20\x00\xe0" * 1_000}
    first, again, other = Speaker(**loud), Speaker(**loud), Speaker("speaker 2", **loud)
    found = spoken(agent(greeting=GREETING, tts=first), PhraseStore(tmp_path))
    services = Services.of(agent(greeting=GREETING, tts=again))

    async def story() -> None:
        recordings = Recordings(services.voices, PhraseStore(tmp_path))
        await recordings.prepare(agent(greeting=GREETING, tts=again), 10)
        assert recordings.of(agent(greeting=GREETING)) == found

    world.run(story(), limit=60)
    assert again.asked == []
    (line,) = services.voices
    assert line.leveller.level == pytest.approx(-12.0, abs=0.2), "so a call's first sentence has the right level"
    spoken(agent(greeting=GREETING, tts=other), PhraseStore(tmp_path))
    assert sorted(other.asked) == sorted(wanted())


def test_damaged_files_are_spoken_anew(tmp_path: Path) -> None:
    spoken(agent(greeting=GREETING, tts=Speaker()), PhraseStore(tmp_path))
    for file in tmp_path.iterdir():
        file.write_bytes(file.read_bytes()[:-3])
    again, third = Speaker(), Speaker()
    assert set(spoken(agent(greeting=GREETING, tts=again), PhraseStore(tmp_path))) == wanted()
    assert sorted(again.asked) == sorted(wanted())
    spoken(agent(greeting=GREETING, tts=third), PhraseStore(tmp_path))
    assert third.asked == []


def test_a_voice_without_a_fingerprint_is_not_kept(tmp_path: Path) -> None:
    spoken(agent(greeting=GREETING), PhraseStore(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_agents_with_the_same_voices_share_what_is_the_same() -> None:
    voice = ScriptedVoice()
    one, other = agent(greeting="Hello.", tts=voice), agent(greeting="Good evening.", tts=voice)

    async def story() -> None:
        recordings = Recordings(Services.of(one).voices)
        await asyncio.gather(recordings.prepare(one, 10), recordings.prepare(other, 10))
        assert len(voice.asked) == len(set(voice.asked))
        assert "Good evening." in recordings.of(other)
        assert "Good evening." not in recordings.of(one)

    world.run(story(), limit=60)


def test_greetings_for_every_call_are_not_kept_for_ever() -> None:
    voice = ScriptedVoice(delay=0)

    async def story() -> None:
        recordings = Recordings(Services.of(agent(tts=voice)).voices)
        for number in range(600):
            caller = agent(greeting=f"Hello number {number}.", tts=voice)
            await recordings.prepare(caller, 10)
        assert set(recordings.of(caller)) >= {"Hello number 599.", "Are you still there?"}
        assert len(recordings._spoken) == 500

    world.run(story(), limit=600)


def test_the_greeting_leaves_within_twenty_milliseconds_of_the_streams_start() -> None:
    """In the very step that handles `start`; measured on the real clock, a hundred calls, the slowest but one."""
    one = agent(greeting=GREETING)
    recordings = spoken(one)
    took: list[float] = []

    async def call() -> None:
        services = Services.of(one)
        sent: list[str] = []
        driver = Driver(
            services.config(one, recordings),
            services,
            Loudness(),
            stream=TwilioStream(two_way=True),
            send=sent.append,
            close=lambda: None,
            report=lambda now, report: None,
            clock=starting_now(),
        )
        driver.on_text(messages.connected())
        began = time.perf_counter()
        driver.on_text(messages.start("MZ1", "CA1", "AC1"))
        took.append(time.perf_counter() - began)
        commands = map(messages.decode_command, sent)
        played = [each.media.payload for each in commands if isinstance(each, messages.OutMedia)]
        assert b"".join(played) == voiced(GREETING)
        await driver.finish()

    async def calls() -> None:
        for _ in range(100):
            await call()

    asyncio.run(calls())
    assert sorted(took)[-2] < 0.020
