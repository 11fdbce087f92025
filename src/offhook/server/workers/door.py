"""The port of a server with several workers: accepts, looks at what is asked for, and passes the connection on.

Nothing is taken from a connection here (`MSG_PEEK`), so that the worker finds it as it came. TLS is therefore ended in
front of the server. Connections that do not say what they want hold up nobody: they have a time limit, and where there
are too many of them the oldest is closed.
"""

import asyncio
import errno
import logging
import socket
from collections.abc import Callable

from offhook.server.workers.peek import MOST, Asked, read

logger = logging.getLogger("offhook.server")

AGAIN, SELDOM = 0.005, 0.1
"""Seconds until a request that has come in part is looked at again: at first, and at the most, each wait being twice as
long as the one before. What was peeked at stays readable, so nobody would say when the rest is there."""
PAUSE = 1.0
"""Seconds without accepting once the process has run out of descriptors; asyncio waits as long."""

Pass = Callable[[Asked, socket.socket], bool]
"""Hands a connection to whom it may concern, who closes it. False: there is nobody yet."""


class Door:
    """`patience`: seconds that a connection has to say what it wants; `most`: how many may be about to."""

    def __init__(self, listener: socket.socket, pass_on: Pass, patience: float, most: int) -> None:
        self._listener = listener
        self._pass_on = pass_on
        self._patience = patience
        self._most = most
        self._waiting: dict[socket.socket, asyncio.TimerHandle] = {}
        """The oldest first, each with its time limit."""

    async def run(self) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        self._listener.setblocking(False)
        try:
            while True:
                try:
                    connection, _ = await loop.sock_accept(self._listener)
                except ConnectionError:
                    continue
                except OSError as error:
                    advice = " (ulimit -n raises the limit)" if error.errno == errno.EMFILE else ""
                    logger.error("No connections are accepted for %g s: %s%s", PAUSE, error.strerror or error, advice)
                    await asyncio.sleep(PAUSE)
                else:
                    self.let_in(connection)
                    await asyncio.sleep(0)  # `sock_accept` does not wait while there are more: let the workers be heard
        finally:
            for connection in list(self._waiting):
                self._close(connection)

    def let_in(self, connection: socket.socket) -> None:
        """See to whom a connection goes. Nobody has taken anything from it yet."""
        if len(self._waiting) >= self._most:
            self._close(next(iter(self._waiting)))
        loop = asyncio.get_running_loop()
        self._waiting[connection] = loop.call_later(self._patience, self._close, connection)
        self._look(connection)

    def _look(self, connection: socket.socket, again: float = AGAIN) -> None:
        """Pass a connection on if its request has come; else look at it again, after so many seconds."""
        if connection not in self._waiting:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(connection)
        try:
            data = connection.recv(MOST, socket.MSG_PEEK)
        except BlockingIOError:
            loop.add_reader(connection, self._look, connection)
            return
        except OSError:
            data = b""
        if not data:
            self._close(connection)
        elif (asked := read(data)) and self._pass_on(asked, connection):
            self._waiting.pop(connection).cancel()
        else:
            loop.call_later(again, self._look, connection, min(2 * again, SELDOM))

    def _close(self, connection: socket.socket) -> None:
        if limit := self._waiting.pop(connection, None):
            limit.cancel()
            asyncio.get_running_loop().remove_reader(connection)
            connection.close()
