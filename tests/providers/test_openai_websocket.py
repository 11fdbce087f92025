"""How OpenAI's WebSockets are connected to: where, as whom, and nowhere else."""

import asyncio

import pytest
from openai_kit import KEY
from websockets.asyncio.server import ServerConnection, serve

from offhook.errors import Failure
from offhook.providers.openai_client import Account, OpenAIError
from offhook.providers.openai_websocket import connected


def asked(answer: str, path: str = "/v1") -> tuple[list[str], OpenAIError]:
    """What a server is asked that does not agree, and what becomes of it."""
    heads: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()

    async def story() -> OpenAIError:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            account = Account(KEY, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}")
            with pytest.raises(OpenAIError) as raised:
                async with connected(account, "openai/realtime", {"model": "gpt-realtime", "x": "a b"}):
                    pass
            await account.aclose()
            return raised.value

    return heads, asyncio.run(story())


def test_the_handshake_says_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    heads, error = asked("429 Slow down\r\nRetry-After: 3", "/a?version=2")
    assert heads[0].startswith("GET /a/realtime?version=2&model=gpt-realtime&x=a+b HTTP/1.1\r\n")
    assert f"\r\nAuthorization: Bearer {KEY}\r\n" in heads[0]
    assert "\r\nOpenAI-Organization: org-1\r\n" in heads[0]
    assert (error.kind, error.status, error.retry_after) == (Failure.OVERLOADED, 429, 3.0)


def test_a_redirect_is_not_followed() -> None:
    heads, error = asked("307 Moved\r\nLocation: ws://127.0.0.1:9/elsewhere")
    assert len(heads) == 1
    assert (error.kind, error.status) == (Failure.REFUSED, 307)
    assert "moved to ws://127.0.0.1:9/elsewhere" in str(error)


def test_a_server_that_closes_with_our_key_does_not_make_us_repeat_it() -> None:
    key = "gsk_a_secret_of_ours"

    async def refuse(connection: ServerConnection) -> None:
        await connection.close(1008, f"Incorrect API key provided: {key}")

    async def story() -> OpenAIError:
        async with serve(refuse, "127.0.0.1", 0) as server:
            account = Account(key, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            async with connected(account, "openai/realtime", {}) as wire:
                with pytest.raises(OpenAIError) as raised:
                    await wire.receive()
            await account.aclose()
            return raised.value

    error = asyncio.run(story())
    assert error.kind is Failure.REFUSED
    assert str(error).endswith("Incorrect API key provided: ***)")
