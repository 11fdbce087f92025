"""The local server's conversations refuse what OpenAI refuses, and say so without hanging up."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from offhook.simulator.openai_server import LocalOpenAI, Pace, Script

MULAW = {"type": "audio/pcmu"}
SESSION: dict[str, Any] = {
    "type": "realtime",
    "audio": {"input": {"format": MULAW, "turn_detection": None}, "output": {"format": MULAW, "voice": "marin"}},
}
SECOND = b64encode(b"\x20" * 8_000).decode()


class Client:
    """Says one thing and reads what comes."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def say(self, kind: str, **fields: Any) -> None:
        await self._socket.send(json.dumps({"type": kind, "event_id": f"mine-{kind}"} | fields))

    async def until(self, kind: str) -> dict[str, Any]:
        async with asyncio.timeout(2):
            while (event := json.loads(await self._socket.recv()))["type"] != kind:
                pass
        return dict(event)

    async def refused(self, kind: str, **fields: Any) -> str:
        await self.say(kind, **fields)
        error = (await self.until("error"))["error"]
        assert error["event_id"] == f"mine-{kind}"
        return str(error["message"])


def tell(story: Callable[[Client], Awaitable[None]], script: Script, model: str = "gpt-realtime") -> None:
    async def told() -> None:
        async with LocalOpenAI(script) as server:
            url = server.base_url.replace("http", "ws") + f"/realtime?model={model}"
            async with connect(url, additional_headers={"Authorization": "Bearer sk-any"}) as socket:
                client = Client(socket)
                await client.until("session.created")
                await story(client)

    asyncio.run(told())


def test_a_turn_is_answered_and_all_that_cannot_be_is_refused() -> None:
    async def story(client: Client) -> None:
        await client.say("session.update", session=SESSION)
        assert (await client.until("session.updated"))["session"]["audio"] == SESSION["audio"]
        assert "too small" in await client.refused("input_audio_buffer.commit")
        assert "no active response" in await client.refused("response.cancel")
        await client.say("input_audio_buffer.append", audio=SECOND)
        await client.say("input_audio_buffer.commit")
        user = (await client.until("input_audio_buffer.committed"))["item_id"]
        assert "Only model output" in await client.refused(
            "conversation.item.truncate", item_id=user, content_index=0, audio_end_ms=1
        )
        await client.say("response.create", response={"metadata": {"request": "7"}})
        assert (await client.until("response.created"))["response"]["metadata"] == {"request": "7"}
        assert "already has an active response" in await client.refused("response.create")
        item = (await client.until("response.output_audio.delta"))["item_id"]
        done = (await client.until("response.done"))["response"]
        assert (done["status"], done["usage"]["output_tokens"]) == ("completed", 1)
        place = {"item_id": item, "content_index": 0}
        assert "shorter than 301ms" in await client.refused("conversation.item.truncate", **place, audio_end_ms=301)
        await client.say("conversation.item.truncate", **place, audio_end_ms=300)
        await client.until("conversation.item.truncated")
        await client.say("conversation.item.delete", item_id=item)
        await client.until("conversation.item.deleted")
        assert "not found" in await client.refused("conversation.item.delete", item_id=item)

    tell(story, Script(transcripts=["hi"], replies=["Hello."], reply=Pace(0.02)))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": "message", "role": "assistant", "content": [{"type": "input_text", "text": "x"}]}, "output_text"),
        ({"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]}, "input_text"),
        ({"type": "function_call_output", "call_id": "none", "output": "x"}, "No function call"),
        ({"type": "thought"}, "Invalid value"),
        ({"id": "x" * 33, "type": "message", "role": "user", "content": []}, "Invalid item id"),
    ],
)
def test_items_that_cannot_be(item: dict[str, Any], words: str) -> None:
    async def story(client: Client) -> None:
        assert words in await client.refused("conversation.item.create", item=item)

    tell(story, Script())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": "transcription"}, "realtime session"),
        ({"audio": {"input": SESSION["audio"]["input"], "output": {"format": MULAW, "voice": "onyx"}}}, "voice"),
        ({"audio": {"input": SESSION["audio"]["input"], "output": {"format": {"type": "audio/pcm"}}}}, "pcmu"),
        ({"audio": {"input": {"format": MULAW}, "output": {"format": MULAW}}}, "turn_detection"),
    ],
)
def test_sessions_that_cannot_be(change: dict[str, Any], words: str) -> None:
    async def story(client: Client) -> None:
        assert words in await client.refused("session.update", session=SESSION | change)

    tell(story, Script())


def test_a_model_that_there_is_not() -> None:
    async def story(client: Client) -> None:
        raise AssertionError("nobody talks to it")

    with pytest.raises(InvalidStatus) as raised:
        tell(story, Script(), model="gpt-unheard-of")
    assert raised.value.response.status_code == 404
