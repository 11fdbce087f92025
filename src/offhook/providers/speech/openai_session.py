"""One call's conversation with an OpenAI realtime model: it connects, and again when a connection is lost or old."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import cast

from offhook.conversation.messages import Message
from offhook.errors import KEY_REFUSED, Failure, ProviderError
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.openai_client import Account, OpenAIError
from offhook.providers.openai_websocket import Wire, connected, failures
from offhook.providers.speech.openai_conversation import RealtimeConversation
from offhook.providers.speech.openai_entries import Result
from offhook.providers.speech.openai_events import Options, check, read, session
from offhook.providers.speech_interface import Briefing, SpokenPiece

logger = logging.getLogger("offhook.providers")

RENEWAL = 55 * 60.0
"""Seconds after which a connection is replaced as soon as nothing is asked of it. The server's limit is 60 minutes."""
_FRUITLESS = 3
"""Connections in a row of which nothing came after which it is no use to go on."""
_BREATH = 0.1
"""Seconds before the second try to connect; twice that before the third."""


class OpenAISpeechSession:
    """A `SpeechSession`. Connecting and sending happen in a task of its own, which begins with `open` or with what is
    first asked."""

    def __init__(self, account: Account, options: Options, briefing: Briefing, renewal: float = RENEWAL) -> None:
        self._account, self._options, self._briefing, self._renewal = account, options, briefing, renewal
        self._name = f"openai/{options.model}"
        self._conversation = RealtimeConversation(self._name, lambda error: account.said(self._name, error))
        self._wake = asyncio.Event()
        self._old = False
        self._stuck: ProviderError | None = None
        self._refused: ProviderError | None = None
        """The server does not accept our key: it is not asked again."""
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        if self._refused is not None:
            self._conversation.fail(self._refused)
        elif self._task is None or self._task.done():
            self._account.client()
            self._task = asyncio.create_task(self._run())
        self._wake.set()

    async def hear(self, number: int, utterance: Utterance) -> AsyncGenerator[Transcript, None]:
        results: asyncio.Queue[Result] = asyncio.Queue()
        self._conversation.hear(number, utterance.mulaw, results.put_nowait)
        self.open()
        try:
            while (result := await self._next(results)) is not None:
                yield cast(Transcript, result)
        except OpenAIError as error:
            if error.kind is not Failure.TIMEOUT:
                raise
            # The model has heard the caller, whoever was to write it down.
            yield Transcript("", understood=False)
        finally:
            self._conversation.give_up(number)

    async def reply(self, number: int) -> AsyncGenerator[SpokenPiece, None]:
        results: asyncio.Queue[Result] = asyncio.Queue()
        self._conversation.reply(number, results.put_nowait)
        self.open()
        try:
            while (result := await self._urgent(results)) is not None:
                yield cast(SpokenPiece, result)
        finally:
            self._cancel(number)

    async def speak(self, number: int, text: str) -> AsyncGenerator[bytes, None]:
        results: asyncio.Queue[Result] = asyncio.Queue()
        self._conversation.speak(number, text, results.put_nowait)
        self.open()
        try:
            while (result := await self._urgent(results)) is not None:
                if isinstance(result, bytes):
                    yield result
        finally:
            self._cancel(number)

    def cut(self, number: int, heard: int, words: str) -> None:
        self._conversation.cut(number, heard, words)
        self._wake.set()

    def forget(self, number: int) -> None:
        self._conversation.forget(number)
        self._wake.set()

    def note(self, message: Message) -> None:
        self._conversation.note(message)
        self._wake.set()

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _cancel(self, number: int) -> None:
        self._conversation.cancel(number)
        self._wake.set()

    async def _next(self, results: asyncio.Queue[Result]) -> Result:
        try:
            async with asyncio.timeout(self._account.timeout):
                result = await results.get()
        except TimeoutError:
            words = f"{self._name}: nothing came for {self._account.timeout:g} s"
            raise OpenAIError(Failure.TIMEOUT, words) from None
        if isinstance(result, ProviderError):
            raise result
        return result

    async def _urgent(self, results: asyncio.Queue[Result]) -> Result:
        """The same, where a server that says nothing is of no use for the next question either."""
        try:
            return await self._next(results)
        except OpenAIError as error:
            if error.kind is Failure.TIMEOUT:
                self._stuck = error
            raise

    # the connection's task

    async def _run(self) -> None:
        """Connect, and again when the connection is lost or old, for as long as that is of use."""
        fruitless = 0
        while True:
            conversation = self._conversation
            try:
                async with connected(self._account, self._name, {"model": self._options.model}) as wire:
                    await agree(wire, self._account, self._options, self._briefing)
                    await self._talk(wire)
            except ProviderError as error:
                self._refused = error if error.status in KEY_REFUSED else None
                fruitless = 1 if conversation.fruitful else fruitless + 1
                if not error.retryable or error.retry_after or fruitless == _FRUITLESS:
                    conversation.fail(error)
                    return
                logger.warning("A conversation is taken up again over a new connection: %s", error)
                await asyncio.sleep(_BREATH * (fruitless - 1))

    async def _talk(self, wire: Wire) -> None:
        """Use a new connection until it is lost, which raises ProviderError, or until it is old and idle."""
        self._old, self._stuck = False, None
        self._conversation.connected()
        ageing = asyncio.get_running_loop().call_later(self._renewal, self._grow_old)
        reading = asyncio.create_task(self._read(wire))
        writing = asyncio.create_task(self._write(wire))
        try:
            done, _ = await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._conversation.lost()
            ageing.cancel()
            reading.cancel()
            writing.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)

    def _grow_old(self) -> None:
        self._old = True
        self._wake.set()

    async def _write(self, wire: Wire) -> None:
        orders = self._conversation.orders
        while not (self._old and not self._conversation.busy):
            self._wake.clear()
            if self._stuck is not None:
                raise self._stuck
            sending, orders.out = orders.out, []
            for order in sending:
                await wire.send(order)
            if not sending:
                await self._wake.wait()

    async def _read(self, wire: Wire) -> None:
        while True:
            message = await wire.receive()
            with failures(self._account, self._name):
                event = read(message)
            self._conversation.receive(event)
            if self._conversation.orders.out or self._old:
                self._wake.set()


async def agree(wire: Wire, account: Account, options: Options, briefing: Briefing) -> None:
    """Tell a new connection what to be, and wait until it is just that. Raises OpenAIError."""
    name = f"openai/{options.model}"
    with failures(account, name):
        async with asyncio.timeout(account.timeout):
            await wire.send({"type": "session.update", "session": session(options, briefing)})
            while (event := read(await wire.receive())).type != "session.updated":
                if event.type == "error":
                    raise account.said(name, event.error)
    check(event.session, name)
