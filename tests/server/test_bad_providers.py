"""A provider that fails or hangs, on the running server: its caller is asked again, and the call beside it goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from doors import Telephone, plain, run, serving, until_closed
from kit import voiced

from offhook.agent import Agent
from offhook.call.config import Limits, Phrases
from offhook.conversation.tools import ToolCall
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Conversation, Transcript, Utterance
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice
from offhook.server.live import LiveEngine
from offhook.simulator.evidence import Loudness
from offhook.timebase import ms

SICK, WELL = b"\x10", b"\x20"
"""What the two callers say: the one whose providers fail, and the one whose providers work."""
SORRY = Phrases(apology="Could you say that again?", failure_goodbye="Please call again later.")
FINE = "We are fine."
SOON = Limits(transcript=ms(100), reply=ms(100), voice=ms(100), another=ms(50))
WAYS = ["refuses", "crashes", "hangs"]


async def hears(phone: Telephone, text: str) -> None:
    wanted = voiced(text)
    assert await phone.hear(len(wanted)) == wanted, text


async def fail(how: str) -> None:
    match how:
        case "refuses":
            raise ProviderError(Failure.REFUSED, "no such key")
        case "crashes":
            raise ValueError("a plugin's own fault")
        case "hangs":
            await asyncio.get_running_loop().create_future()


class Transcriber(ScriptedTranscriber):
    """Tells the callers apart by their sound."""

    def __init__(self, how: str = "") -> None:
        super().__init__(by_audio=lambda utterance: "sick" if SICK in utterance.mulaw else "well", delay=0)
        self._how = how

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        if SICK in utterance.mulaw:
            await fail(self._how)
        async for transcript in super().transcribe(utterance):
            yield transcript


class Model(ScriptedModel):
    def __init__(self, how: str = "") -> None:
        super().__init__(
            lambda talk: "We are unwell." if "sick" in talk.messages[-1].text else FINE,
            first_token=0,
            tokens_per_second=1e6,
        )
        self._how = how

    async def reply(self, conversation: Conversation) -> AsyncIterator[str | ToolCall]:
        if "sick" in conversation.messages[-1].text:
            await fail(self._how)
        async for text in super().reply(conversation):
            yield text


class Voice(ScriptedVoice):
    def __init__(self, how: str = "") -> None:
        super().__init__(delay=0)
        self._how = how

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        if "unwell" in text:
            await fail(self._how)
        async for audio in super().speak(text):
            yield audio


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("stage", ["stt", "llm", "tts"])
@pytest.mark.filterwarnings("default")
def test_two_apologies_and_a_goodbye_beside_a_call_that_goes_on(stage: str, how: str) -> None:
    providers: dict[str, Any] = {"stt": Transcriber(), "llm": Model(), "tts": Voice()}
    providers[stage] = type(providers[stage])(how)
    agent = Agent(greeting="Hello.", phrases=SORRY, limits=SOON, **providers)

    async def scenario() -> None:
        async with (
            serving(agent, LiveEngine(plain(), Loudness())) as server,
            server.dial() as other,
            server.dial() as socket,
        ):
            sick, healthy = Telephone(socket, 1), Telephone(other, 2)
            for phone in (sick, healthy):
                await phone.begin()
                await hears(phone, "Hello.")
            for answer in (SORRY.apology, SORRY.apology, SORRY.failure_goodbye):
                await sick.say(SICK)
                await hears(sick, answer)
                await healthy.say(WELL)
                await hears(healthy, FINE)
            await until_closed(socket)
            await healthy.hang_up()
            await server.idle()

    run(scenario())
