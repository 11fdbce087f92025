"""The listening socket: what it accepts, on asyncio's own event loop, sends each message at once."""

import asyncio
import socket

import pytest
from doors import begin, run, serving

from offhook.errors import ConfigurationError
from offhook.server.listening import listen


def test_whoever_calls_the_server_gets_each_message_at_once() -> None:
    async def scenario() -> None:
        assert type(asyncio.get_running_loop()).__module__.startswith("asyncio.")
        async with serving() as server, server.dial() as phone:
            await phone.send(begin()[0])
            (connection,) = server.server.server_state.connections
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        await server.idle()

    run(scenario())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "[::1]"])
def test_both_kinds_of_address_are_listened_on(host: str) -> None:
    with listen(host, 0) as listener, socket.create_connection(listener.getsockname()[:2], timeout=5):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)


def test_an_address_that_is_taken_is_one_line() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(ConfigurationError, match="choose another --port"):
        listen("127.0.0.1", taken.getsockname()[1])
