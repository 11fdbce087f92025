"""Carries a call's requests to the providers, and brings back what comes of them as inputs."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar, cast

import numpy as np

from offhook.audio import mulaw
from offhook.audio.resample import Resampler
from offhook.audio.sniff import require_samples
from offhook.call.inputs import (
    Input,
    ReplyFinished,
    ReplyText,
    RequestFailed,
    TokensUsed,
    ToolCalled,
    TranscriptArrived,
    VoiceAudio,
    VoiceFinished,
)
from offhook.call.outputs import AskModel, CallStarted
from offhook.conversation.expectation import Expectation
from offhook.conversation.tools import ToolCall
from offhook.errors import Failure, OffhookError, ProviderError
from offhook.providers.interfaces import Conversation, Usage, Utterance, Voice
from offhook.runtime.services import Services
from offhook.timebase import RATE

logger = logging.getLogger("offhook.runtime")

_FINISH_SECONDS = 1.0
"""How long a provider may take to let go of a cancelled request before it is left behind."""
_OPENING = 256
"""Bytes of speech in which it shows whether they are samples: some milliseconds."""

T = TypeVar("T")


class Performer:
    """One task for each open request of one call."""

    def __init__(self, services: Services, language: str, deliver: Callable[[Input], object]) -> None:
        self._services = services
        self._language = language
        self._deliver = deliver
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._call_id = ""
        self._parameters: dict[str, str] = {}

    def started(self, call: CallStarted) -> None:
        """Whose requests these are."""
        self._call_id, self._parameters = call.call_id, call.parameters

    def transcribe(self, request: int, audio: bytes, expectation: Expectation) -> None:
        """Have speech turned into text."""
        utterance = Utterance(audio, expectation, self._language)
        self._run(request, partial(self._transcribe, request, utterance))

    def ask(self, question: AskModel) -> None:
        """Have a reply written."""
        conversation = Conversation(question.messages, question.tools, self._call_id, self._parameters)
        self._run(question.request, partial(self._ask, question.request, conversation))

    def synthesize(self, request: int, text: str) -> None:
        """Have a text spoken."""
        self._run(request, partial(self._synthesize, request, text))

    def cancel(self, request: int) -> None:
        """Stop working on a request."""
        task = self._tasks.get(request)
        if task is not None:
            task.cancel()

    async def finish(self) -> None:
        """Cancel everything and wait until it has let go, for a bounded time."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            _, stuck = await asyncio.wait(tasks, timeout=_FINISH_SECONDS)
            if stuck:
                logger.error("%d requests to providers do not let themselves be cancelled", len(stuck))

    def _run(self, request: int, work: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(request, work))
        self._tasks[request] = task
        task.add_done_callback(lambda _: self._tasks.pop(request, None))

    async def _guarded(self, request: int, work: Callable[[], Awaitable[None]]) -> None:
        """Whatever a provider raises becomes an input; a fault in a plugin ends a request, not a call."""
        try:
            await work()
        except ProviderError as error:
            self._deliver(RequestFailed(request, error.kind, _whole(str(error))))
        except OffhookError as error:
            self._deliver(RequestFailed(request, Failure.BROKEN, _whole(str(error))))
        except Exception as error:
            logger.exception("A provider raised what no provider should")
            self._deliver(RequestFailed(request, Failure.BROKEN, _whole(f"{type(error).__name__}: {error}")))

    async def _transcribe(self, request: int, utterance: Utterance) -> None:
        final = False
        async for transcript in preferred(
            [partial(each.transcribe, utterance) for each in self._services.transcribers]
        ):
            final = transcript.final
            self._deliver(TranscriptArrived(request, _whole(transcript.text), final, transcript.understood))
        if not final:
            raise ProviderError(Failure.BROKEN, "the transcriber stopped before its final transcript")

    async def _ask(self, request: int, conversation: Conversation) -> None:
        async for piece in preferred([partial(each.reply, conversation) for each in self._services.models]):
            match piece:
                case str():
                    self._deliver(ReplyText(request, _whole(piece)))
                case ToolCall():
                    self._deliver(ToolCalled(request, piece))
                case Usage(spent, written, cached):
                    self._deliver(TokensUsed(request, spent, written, cached))
        self._deliver(ReplyFinished(request))

    async def _synthesize(self, request: int, text: str) -> None:
        async for audio in preferred([partial(spoken, each, text) for each in self._services.voices]):
            self._deliver(VoiceAudio(request, audio))
        self._deliver(VoiceFinished(request))


async def preferred(ways: Sequence[Callable[[], AsyncIterator[T]]]) -> AsyncIterator[T]:
    """What the first provider yields; if it fails before it has yielded anything, what the next one does. To yield
    nothing at all is to fail.
    """
    for last, way in enumerate(ways, start=1 - len(ways)):
        begun = False
        try:
            async with aclosing(cast(Any, way())) as items:
                async for item in items:
                    begun = True
                    yield item
            if begun:
                return
            raise ProviderError(Failure.BROKEN, "the provider had nothing to say")
        except Exception as error:
            if begun or last == 0:
                raise
            fault = None if isinstance(error, OffhookError) else error
            logger.warning("A provider failed, the next one is asked: %s", error, exc_info=fault)


async def spoken(voice: Voice, text: str) -> AsyncIterator[bytes]:
    """A text in a voice, as mu-law at 8 kHz."""
    resampler = Resampler(voice.rate, RATE)
    async with aclosing(_opened(cast(Any, voice.speak(text)))) as pieces:
        async for pcm in pieces:
            if samples := resampler.feed(pcm):
                yield _companded(samples)
    if samples := resampler.flush():
        yield _companded(samples)


async def _opened(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes, after a look at the first of them. Raises AudioFormatError for what is no sound."""
    opening: bytes | None = b""
    async with aclosing(cast(Any, pieces)):
        async for piece in pieces:
            if opening is None:
                yield piece
            elif len(opening := opening + piece) >= _OPENING:
                require_samples(opening)
                yield opening
                opening = None
    if opening:
        require_samples(opening)
        yield opening


def _whole(text: str) -> str:
    """Text that can be written down: half a surrogate pair, as broken JSON yields it, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _companded(pcm: bytes) -> bytes:
    return mulaw.encode(np.frombuffer(pcm, "<i2"))
