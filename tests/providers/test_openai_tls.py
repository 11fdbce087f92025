"""Our OpenAI providers over TLS: whoever is not vouched for is not talked to, and a connection serves more than once.

`localhost.pem` is a certificate that vouches for itself, and its key: of use to nobody, and good for a hundred years.
"""

import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from openai_kit import KEY, drain, talk, utterance

from offhook.errors import Failure
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.openai_client import OpenAIError
from offhook.providers.transcribers.openai_realtime import RealtimeTranscriber

CERTIFICATE = Path(__file__).with_name("localhost.pem")
EVENT = b'data: {"choices":[{"delta":{"content":"Yes"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(EVENT) + EVENT
TWO_QUESTIONS = f"""
import asyncio, sys
from offhook.conversation.messages import Message, Role
from offhook.providers.interfaces import Conversation
from offhook.providers.models.openai_chat import OpenAIModel

async def main():
    mind = OpenAIModel("gpt-4o", api_key={KEY!r}, base_url=sys.argv[1])
    for _ in range(2):
        print([piece async for piece in mind.reply(Conversation((Message(Role.USER, "Hello?"),)))])
    await mind.aclose()

asyncio.run(main())
"""


@asynccontextmanager
async def server(connections: list[int]) -> AsyncIterator[str]:
    """Answers every request, and counts those of each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(0)
        at = len(connections) - 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                connections[at] += 1
                size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
                await reader.readexactly(int(size.partition(b":")[2]))
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    listener = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with listener:
        yield f"https://127.0.0.1:{listener.sockets[0].getsockname()[1]}/v1"


async def ask_the_mind(base_url: str) -> None:
    mind = OpenAIModel("gpt-4o", api_key=KEY, base_url=base_url, timeout=2.0)
    try:
        await drain(mind.reply(talk("Hello?")))
    finally:
        await mind.aclose()


async def ask_the_ear(base_url: str) -> None:
    ear = RealtimeTranscriber(api_key=KEY, base_url=base_url, timeout=2.0)
    try:
        await drain(ear.transcribe(utterance()))
    finally:
        await ear.aclose()


@pytest.mark.parametrize("ask", [ask_the_mind, ask_the_ear])
def test_who_is_not_vouched_for_is_named_in_one_line(ask: Callable[[str], Awaitable[None]]) -> None:
    connections: list[int] = []

    async def story() -> None:
        async with server(connections) as base_url:
            with pytest.raises(OpenAIError, match="no certificate that is trusted: self") as raised:
                await ask(base_url)
            assert raised.value.kind is Failure.UNREACHABLE
            assert base_url.removeprefix("https://").removesuffix("/v1") in str(raised.value)
            assert "\n" not in str(raised.value)

    asyncio.run(story())
    assert connections == [], "nothing was asked of somebody unknown"


def test_who_is_vouched_for_is_asked_twice_over_one_connection() -> None:
    """In a process of its own: whom it trusts is read once."""
    connections: list[int] = []

    async def story() -> str:
        async with server(connections) as base_url:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", TWO_QUESTIONS, base_url),
                env=os.environ | {"SSL_CERT_FILE": str(CERTIFICATE)},
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            said, _ = await process.communicate()
            return said.decode()

    assert asyncio.run(story()).split() == ["['Yes']", "['Yes']"]
    assert connections == [2]
