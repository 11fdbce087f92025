"""`WS /twilio/stream`: a socket from its handshake to its end, with a call on it in between."""

import asyncio
import logging
from functools import partial

from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from offhook.call.inputs import Order
from offhook.call.outputs import Report
from offhook.carrier.events import ProtocolBroken, StreamStarted
from offhook.carrier.twilio.stream import State, TwilioStream
from offhook.runtime.journal import Journal
from offhook.runtime.switchboard import LinesBusyError
from offhook.server.engine import CallDriver
from offhook.server.exchange import Exchange
from offhook.server.outbox import Outbox
from offhook.timebase import Instant

logger = logging.getLogger("offhook.server")

STREAM_PATH = "/twilio/stream"
KEPT = 512 * 1024
"""Bytes that are kept of a stream that has not said yet which call it is."""

TRY_AGAIN_LATER = 1013
POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011

NO_START = (
    'A socket was opened, but no "start" message came within {wait:g} s{complaint}. Check that the TwiML holds '
    '<Connect><Stream url="wss://…/twilio/stream">, that what stands before this server passes WebSockets on as they '
    "are, and whether Twilio's debugger shows 31920 or 31924."
)


class MediaDoor:
    """The route, as a bare ASGI application: a frame costs less without a framework around it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._strangers: set[MediaSocket] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        exchange = self._exchange
        if refusal := exchange.guard.refuse_handshake(socket, STREAM_PATH):
            exchange.metrics.refused("handshake")
            logger.warning("Refused a WebSocket handshake: %s", refusal)
            await socket.close(POLICY_VIOLATION)
            return
        if len(self._strangers) >= exchange.settings.max_waiting:
            exchange.metrics.refused("strangers")
            logger.warning("Refused a WebSocket handshake: %d sockets have yet to start", len(self._strangers))
            await socket.close(TRY_AGAIN_LATER)
            return
        if not await exchange.opened():
            exchange.metrics.refused("unready")
            await socket.close(INTERNAL_ERROR)
            return
        await socket.accept()
        await MediaSocket(exchange, self._strangers, receive, send).serve()


class MediaSocket:
    """One socket. It is a stranger until its `start` has been checked, and a line of the switchboard from then on."""

    def __init__(self, exchange: Exchange, strangers: "set[MediaSocket]", receive: Receive, send: Send) -> None:
        self.call_id = ""
        self.stream_id = ""
        self._exchange = exchange
        self._settings = exchange.settings
        self._strangers = strangers
        self._receive = receive
        self._outbox = Outbox(send)
        self._limit: asyncio.Timeout | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._stream = TwilioStream()
        self._kept: list[Message] = []
        self._kept_size = 0
        self._complaint = ""
        self._driver: CallDriver | None = None
        self._ending = ""

    async def serve(self) -> None:
        """Read until the call is over, whichever side ends it; then leave nothing behind."""
        self._strangers.add(self)
        async with asyncio.TaskGroup() as self._tasks:
            writer = self._tasks.create_task(self._outbox.run())
            try:
                await self._read_until_end()
            finally:
                await self._end(writer)

    def order(self, order: Order) -> None:
        if self._driver:
            self._driver.order(order)

    def close(self, reason: str) -> None:
        self._ending = self._ending or reason
        if self._driver:
            self._driver.on_closed(reason)
        self._hang_up()

    async def _read_until_end(self) -> None:
        try:
            async with asyncio.timeout(self._settings.start_timeout) as self._limit:
                while (message := await self._receive())["type"] != "websocket.disconnect":
                    self._on_frame(message)
                self._ending = self._ending or f"the socket was closed ({message.get('code', 1005)})"
                if self in self._strangers and not self._outbox.closed:
                    logger.warning('A socket was closed before its "start" message%s', self._complaint)
        except TimeoutError:
            if self in self._strangers and not self._outbox.closed:
                self._refuse("no_start", NO_START.format(wait=self._settings.start_timeout, complaint=self._complaint))
        finally:
            self._limit = None

    def _on_frame(self, message: Message) -> None:
        text = message.get("text")
        if self._driver is None:
            if not self._outbox.closed:
                self._keep(message)
        elif text is None:
            self._driver.on_binary(len(message["bytes"]))
        else:
            self._driver.on_text(text)

    def _keep(self, message: Message) -> None:
        """A frame before the call is ready: kept for it, and looked at for the `start`."""
        text = message.get("text")
        self._kept.append(message)
        self._kept_size += len(message["bytes"] if text is None else text)
        probe = self._stream
        for event in probe.receive_binary(len(message["bytes"])) if text is None else probe.receive_text(text):
            if isinstance(event, StreamStarted):
                self._start(event)
                return
            if isinstance(event, ProtocolBroken):
                self._complaint = f" ({event.words})"
        if self._kept_size > KEPT:
            self._refuse("flood", f'More than {KEPT} bytes came before any "start" message{self._complaint}')

    def _start(self, started: StreamStarted) -> None:
        """The stream says which call it is: check it, give it a line and its agent, and hand over what was kept."""
        exchange = self._exchange
        if refusal := exchange.refuse_stream(started):
            self._refuse("token", f"Refused a stream of call {started.call_id}: {refusal}")
            return
        agent = exchange.reception.claim(started.call_id)
        if agent is None:
            words = "answer(call) was not asked who takes it: POST /twilio/voice comes first"
            self._refuse("unknown", f"Refused a stream of call {started.call_id}: {words}")
            return
        self.call_id, self.stream_id = started.call_id, started.stream_id
        try:
            replaced = exchange.switchboard.connect(self)
        except LinesBusyError as busy:
            self._refuse("busy", f"Refused a stream of call {started.call_id}: {busy}", TRY_AGAIN_LATER)
            return
        self._strangers.discard(self)
        if replaced:
            logger.warning("A second stream of call %s replaces the first", started.call_id)
            replaced.close("another stream of the same call took its place")
        exchange.metrics.live.set(exchange.switchboard.live)
        assert self._limit
        self._limit.reschedule(None)
        self._stream = TwilioStream()
        self._driver = exchange.engine.connect(
            agent,
            call_id=started.call_id,
            stream=self._stream,
            send=self._outbox.put,
            close=partial(self._call_over, started),
            report=partial(self._report, Journal(started.call_id, started.stream_id)),
        )
        kept, self._kept = self._kept, []
        for message in kept:
            self._on_frame(message)

    def _call_over(self, started: StreamStarted) -> None:
        """The call wants its end. If it is still on the line, the carrier has to be told, or it would go on with the
        fallback that is meant for a server that has died."""
        assert self._tasks
        if self._stream.state is State.STREAMING and started.two_way and not self._ending:
            self._ending = "hung up"
            self._tasks.create_task(self._hang_up_at_carrier(started))
        else:
            self._hang_up()

    async def _hang_up_at_carrier(self, started: StreamStarted) -> None:
        await self._exchange.hang_ups.hang_up(started.account_id, started.call_id)
        self._hang_up()

    def _report(self, journal: Journal, _: Instant, report: Report) -> None:
        journal.report(report)
        self._exchange.metrics.report(report)

    def _refuse(self, reason: str, words: str, code: int = POLICY_VIOLATION) -> None:
        self._exchange.metrics.refused(reason)
        logger.warning("%s", words)
        self._kept = []
        self._hang_up(code)

    def _hang_up(self, code: int = 1000) -> None:
        """Close from our side; the other side has `close_timeout` seconds to agree."""
        self._outbox.close(code)
        if self._limit and not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time() + self._settings.close_timeout)

    async def _end(self, writer: asyncio.Task[None]) -> None:
        """The one way out, whatever led here."""
        self._strangers.discard(self)
        self._ending = self._ending or "the server stops"
        if self._driver:
            self._driver.on_closed(self._ending)
            await self._driver.finish()
        self._exchange.switchboard.disconnect(self)
        self._exchange.metrics.live.set(self._exchange.switchboard.live)
        self._outbox.close()
        await asyncio.wait({writer}, timeout=self._settings.close_timeout)
        writer.cancel()
