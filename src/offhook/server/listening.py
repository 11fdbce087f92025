"""The port: a socket on which connections come in."""

import socket

from offhook.errors import ConfigurationError

BACKLOG = 2_048


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises ConfigurationError where the address is not to be had.

    asyncio sets TCP_NODELAY only on what a socket of IPPROTO_TCP by name accepts (`create_server` leaves it 0). Without
    it a message waits for the acknowledgement of the one before, up to 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host.strip("[]"), port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot listen on {host}:{port}: {reason}; choose another --port") from None
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=listener.detach())
