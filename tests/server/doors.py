"""What the tests of the doors share: a driver that echoes, a server on a loopback port, and a caller's socket."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any
from xml.etree import ElementTree

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from offhook.agent import Agent
from offhook.call.inputs import HangUpOrdered, Order
from offhook.call.outputs import CallEnded, CallStarted, Report
from offhook.carrier.commands import PlayAudio
from offhook.carrier.events import AudioReceived, CarrierEvent, DigitPressed, StreamStarted, StreamStopped
from offhook.carrier.stream import CarrierStream
from offhook.carrier.twilio import messages
from offhook.server.app import asgi_app
from offhook.server.desk import OwnDesk, Post
from offhook.server.exchange import Exchange
from offhook.server.listening import listen
from offhook.server.serving import PhoneServer
from offhook.settings import Settings
from offhook.timebase import Instant
from polling import until

AGENT = Agent(llm="scripted")
TOKEN = "a twilio auth token"
OPERATOR = "+4930123456"


class EchoDriver:
    """Plays back what it hears. `#` makes it hang up, as does an order to; `*` has the caller transferred to OPERATOR,
    and `0` is a fault of its own. While the caller is elsewhere it outlives its stream."""

    def __init__(
        self,
        stream: CarrierStream,
        send: Callable[[str], None],
        close: Callable[[], None],
        report: Callable[[Instant, Report], None],
        transfer: Callable[[str], None] | None = None,
    ) -> None:
        self.ended = asyncio.Event()
        self.broken = False
        self.transfers: list[str] = []
        """Why each transfer failed; empty for one that did not."""
        self.streams = 1
        self.heard = bytearray()
        self.started: StreamStarted | None = None
        self.reasons: list[str] = []
        self.finished = 0
        self.binary = 0
        self._stream = stream
        self._send = send
        self._close = close
        self._report = report
        self._transfer = transfer
        self._away = self._transferring = False
        self._sent_back = ""

    @property
    def over(self) -> bool:
        return self.ended.is_set()

    def attach(self, stream: CarrierStream, send: Callable[[str], None], close: Callable[[], None]) -> None:
        self._stream, self._send, self._close = stream, send, close
        self.streams += 1

    def transfer_ended(self, reason: str) -> None:
        self.transfers.append(reason)
        if not reason:
            self.end("transferred")
        elif self._away:
            self._sent_back = reason
        else:
            self._transferring = False
            self._send(self._stream.encode(PlayAudio(reason.encode())))

    def on_text(self, text: str) -> None:
        for event in self._stream.receive_text(text):
            self._on_event(event)

    def on_binary(self, size: int) -> None:
        self.binary += size

    def on_closed(self, reason: str) -> None:
        self._away = self._transferring
        if not self._transferring:
            self.end(reason)

    def order(self, order: Order) -> None:
        if isinstance(order, HangUpOrdered):
            self.end("ordered")

    async def finish(self) -> None:
        self.finished += 1
        if not self.over:
            self.end("finished")

    def end(self, reason: str) -> None:
        if not self.reasons:
            self._report(Instant(0), CallEnded(reason, 0, 0))
            self._close()
        self.reasons.append(reason)
        self.ended.set()

    def _on_event(self, event: CarrierEvent) -> None:
        match event:
            case StreamStarted():
                self.started = event
                self._away = self._transferring = False
                if self._sent_back:
                    self._send(self._stream.encode(PlayAudio(self._sent_back.encode())))
                self._report(
                    Instant(0), CallStarted(event.call_id, event.stream_id, event.two_way, dict(event.parameters))
                )
            case AudioReceived(mulaw=mulaw):
                self.heard += mulaw
                if not self.ended.is_set():
                    self._send(self._stream.encode(PlayAudio(mulaw)))
            case DigitPressed("#"):
                self.end("goodbye")
            case DigitPressed("*") if not self.over:
                assert self._transfer
                self._transferring = True
                self._transfer(OPERATOR)
            case DigitPressed("0"):
                self.broken = True
                self.end("a fault")
            case StreamStopped(reason):
                self.on_closed(reason)


class EchoEngine:
    """Makes echoing drivers and keeps them, in order, for the test to look at."""

    def __init__(self) -> None:
        self.drivers: list[EchoDriver] = []
        self.prepared: list[Agent] = []
        self.failure: Exception | None = None
        self.closed = False

    async def prepare(self, agent: Agent) -> None:
        if self.failure:
            raise self.failure
        self.prepared.append(agent)

    def connect(self, agent: Agent, *, call_id: str, **wire: Any) -> EchoDriver:
        assert agent in self.prepared
        assert call_id
        self.drivers.append(EchoDriver(**wire))
        return self.drivers[-1]

    async def aclose(self) -> None:
        self.closed = True


def plain(**given: Any) -> Settings:
    """Settings of which nothing comes from this machine's environment."""
    return Settings.model_validate({"twilio_auth_token": "", "public_url": "", "close_timeout": 0.3, **given})


class Running:
    """A server that runs, as the outside sees it."""

    def __init__(self, exchange: Exchange, engine: Any, port: int, server: PhoneServer) -> None:
        self.exchange = exchange
        self.engine = engine
        self.port = port
        self.server = server

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def taken(self) -> int:
        return lines_taken(self.exchange)

    def dial(self, path: str = "/twilio/stream", **headers: str) -> connect:
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, compression=None)

    async def post(self, path: str, form: dict[str, str], **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.post(self.base + path, data=form, headers=headers)

    async def idle(self) -> None:
        """Until no call is on the line."""
        await until(lambda: not self.exchange.switchboard.live and not self.server.server_state.tasks)


@asynccontextmanager
async def serving(
    agent: Any = AGENT, engine: Any = None, post: Post | None = None, **given: Any
) -> AsyncIterator[Running]:
    settings = plain(**given)
    engine = engine or EchoEngine()
    app = asgi_app(agent, settings, engine=engine, post=post)
    server = PhoneServer(app, settings)
    listener: socket.socket = listen("127.0.0.1", 0)
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup([listener])
    try:
        yield Running(app.state.exchange, engine, listener.getsockname()[1], server)
    finally:
        await server.shutdown([listener])


def lines_taken(exchange: Exchange) -> int:
    """Lines in use or reserved."""
    assert isinstance(exchange.desk, OwnDesk)
    return exchange.desk._slots.taken(time.monotonic())


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Play a scenario on a loop of its own, and see that it left no task behind."""

    async def watched() -> None:
        async with asyncio.timeout(20):
            await scenario
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left

    asyncio.run(watched())


def ids(number: int = 1) -> tuple[str, str]:
    """A call's and a stream's id."""
    return f"CA{number:032x}", f"MZ{number:032x}"


def begin(number: int = 1, **parameters: str) -> tuple[str, str]:
    call_id, stream_id = ids(number)
    return messages.connected(), messages.start(stream_id, call_id, "AC" + "0" * 32, parameters=parameters)


def sound(index: int, data: bytes, number: int = 1) -> str:
    """The `index`th (from 0) 20 ms of sound."""
    stream_id = ids(number)[1]
    return messages.media(stream_id, data, sequence=index + 2, chunk=index + 1, timestamp=index * 20)


class Telephone:
    """A caller at the other end of a socket, for whom no time passes: what is played has been heard at once, and
    what is said is there at once.
    """

    def __init__(self, socket: ClientConnection, number: int = 1) -> None:
        self.socket = socket
        self.number = number
        self.call_id, self.stream_id = ids(number)
        self._frames = 0
        self._heard = bytearray()

    async def begin(self) -> None:
        for text in begin(self.number):
            await self.socket.send(text)

    async def say(self, loud: bytes, seconds: float = 0.6) -> None:
        """A sound, and silence for long enough that it must have been all."""
        for frame in [*[loud * 160] * round(seconds * 50), *[b"\xff" * 160] * 100]:
            await self.socket.send(sound(self._frames, frame, self.number))
            self._frames += 1

    async def hear(self, count: int) -> bytes:
        """The next so many samples that are played, and the mark behind them."""
        marked = False
        while len(self._heard) < count or not marked:
            message = messages.decode_command(str(await self.socket.recv()))
            marked = isinstance(message, messages.OutMark)
            if isinstance(message, messages.OutMedia):
                self._heard += message.media.payload
            elif isinstance(message, messages.OutMark):
                await self.socket.send(messages.mark(self.stream_id, message.mark.name, sequence=1))
        heard = bytes(self._heard[:count])
        del self._heard[:count]
        return heard

    async def hang_up(self) -> None:
        await self.socket.send(messages.stop(self.stream_id, self.call_id, "AC", sequence=1))
        await until_closed(self.socket)


async def hear(phone: ClientConnection) -> bytes:
    """The next audio that is played; marks between are passed over."""
    while True:
        message = messages.decode_command(str(await phone.recv()))
        if isinstance(message, messages.OutMedia):
            return message.media.payload


async def until_closed(phone: ClientConnection) -> None:
    """Until the server has closed the socket."""
    with suppress(ConnectionClosed):
        while True:
            await phone.recv()


def ringing(number: int = 1, **more: str) -> dict[str, str]:
    """The form that Twilio posts when the telephone rings."""
    return {"CallSid": ids(number)[0], "AccountSid": "AC" + "0" * 32, "From": "+15550001", "To": "+15550002", **more}


def stream_of(document: str) -> tuple[str, dict[str, str]]:
    """The address and the parameters of the stream that a TwiML document opens."""
    root = ElementTree.fromstring(document)
    stream = root.find("./Connect/Stream")
    assert stream is not None, document
    return stream.attrib["url"], {each.attrib["name"]: each.attrib["value"] for each in stream}
