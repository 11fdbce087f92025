"""A conversation with a speech model against the local server: how to tell it, and what either side holds of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, cast

from openai_kit import KEY, drain, utterance

from offhook.conversation.tools import ToolSpec
from offhook.providers.speech.openai import OpenAISpeech
from offhook.providers.speech.openai_session import OpenAISpeechSession
from offhook.providers.speech_interface import Briefing, SpeechSession
from offhook.simulator.openai_server import Fault, LocalOpenAI, Script, Stage, Trouble
from polling import until

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
