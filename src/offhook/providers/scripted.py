"""Deterministic stand-ins with stated delays: no network, no key, no thread, and any event loop, virtual time included.

A script may hold exceptions, which are raised instead of an answer; `hang=True` never answers. Each stand-in keeps
what it was asked (`asked`), what was cancelled before it was done (`cancelled`) and how many requests are `running`.
"""

import asyncio
import re
import zlib
from array import array
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from offhook.conversation.messages import Role
from offhook.conversation.tools import ToolCall
from offhook.providers.interfaces import Conversation, Transcript, Utterance

_Request = TypeVar("_Request")


class Breaks(NamedTuple):
    """A reply that stops in the middle: `text` comes, then `error` is raised."""

    text: str
    error: Exception


class Uses(NamedTuple):
    """A reply that asks for tools after `text`; once they have returned it goes on with `then`."""

    text: str
    calls: tuple[ToolCall, ...]
    then: "str | Uses"


class _Standin(Generic[_Request]):
    """Counts requests, and closes without effort, because nothing is held."""

    def __init__(self, hang: bool) -> None:
        self.asked: list[_Request] = []
        self.cancelled: list[_Request] = []
        self.running = 0
        self._hang = hang

    @contextmanager
    def _counted(self, request: _Request) -> Iterator[None]:
        self.asked.append(request)
        self.running += 1
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            self.cancelled.append(request)
            raise
        finally:
            self.running -= 1

    async def _wait(self, delay: float) -> None:
        if self._hang:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(delay)

    async def ready(self) -> None:
        """Always ready."""

    async def aclose(self) -> None:
        """Nothing to let go of."""


class ScriptedTranscriber(_Standin[Utterance]):
    """Answers the n-th request with the n-th of `texts` after `delay` seconds, and with no words once they are used
    up.

    Speculation may ask twice about the same turn, the second time with more audio: `by_audio` then answers by what is
    heard instead; `by_turn` makes one out of a list. With `partials_every` seconds, transcripts that grow by a word
    come before the final one.
    """

    def __init__(
        self,
        texts: Sequence[str | Transcript | Exception] = (),
        delay: float = 0.3,
        partials_every: float | None = None,
        by_audio: Callable[[Utterance], str | Transcript] | None = None,
        hang: bool = False,
    ) -> None:
        super().__init__(hang)
        self._texts = texts
        self._delay = delay
        self._partials_every = partials_every
        self._by_audio = by_audio

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        with self._counted(utterance):
            answer = self._answer(utterance, len(self.asked) - 1)
            left = self._delay
            if self._partials_every is not None and isinstance(answer, Transcript):
                words = answer.text.split()
                for count in range(1, len(words)):
                    if left <= self._partials_every:
                        break
                    await self._wait(self._partials_every)
                    left -= self._partials_every
                    yield Transcript(" ".join(words[:count]), final=False)
            await self._wait(left)
            if isinstance(answer, Exception):
                raise answer
            yield answer

    def _answer(self, utterance: Utterance, index: int) -> Transcript | Exception:
        answer: str | Transcript | Exception = ""
        if self._by_audio is not None:
            answer = self._by_audio(utterance)
        elif index < len(self._texts):
            answer = self._texts[index]
        return Transcript(answer) if isinstance(answer, str) else answer


def by_turn(texts: Sequence[str | Transcript]) -> Callable[[Utterance], str | Transcript]:
    """Answers for `by_audio`: one for each turn, where audio that goes on from what was asked last is the same
    turn."""
    latest = b""
    index = -1

    def answer(utterance: Utterance) -> str | Transcript:
        nonlocal latest, index
        audio = utterance.mulaw
        if index < 0 or not (audio.startswith(latest) or latest.startswith(audio)):
            index += 1
        latest = audio
        return texts[index] if index < len(texts) else ""

    return answer


class ScriptedModel(_Standin[Conversation]):
    """Writes a reply word by word: the first after `first_token` seconds, then `tokens_per_second`.

    From a sequence it takes the reply by the number of the caller's messages, so that asking twice about one turn
    gives one answer; the last reply serves all further turns.
    """

    def __init__(
        self,
        replies: Sequence[str | Breaks | Uses | Exception] | Callable[[Conversation], str] = ("",),
        first_token: float = 0.3,
        tokens_per_second: float = 50,
        speculative: bool = True,
        hang: bool = False,
    ) -> None:
        super().__init__(hang)
        self.speculative = speculative
        self._replies = replies
        self._first_token = first_token
        self._tokens_per_second = tokens_per_second

    async def reply(self, conversation: Conversation) -> AsyncIterator[str | ToolCall]:
        with self._counted(conversation):
            text, calls, error = self._script(conversation)
            await self._wait(self._first_token)
            for number, word in enumerate(re.findall(r"\s*\S+|\s+$", text)):
                if number:
                    await self._wait(1 / self._tokens_per_second)
                yield word
            for call in calls:
                yield call
            if error is not None:
                raise error

    def _script(self, conversation: Conversation) -> tuple[str, tuple[ToolCall, ...], Exception | None]:
        if callable(self._replies):
            return self._replies(conversation), (), None
        turn = sum(message.role is Role.USER for message in conversation.messages)
        reply = self._replies[min(max(turn, 1), len(self._replies)) - 1]
        for message in conversation.messages[_latest_user(conversation) :]:
            if message.calls and isinstance(reply, Uses):
                reply = reply.then
        match reply:
            case Exception():
                return "", (), reply
            case Breaks(text, error):
                return text, (), error
            case Uses(text, calls):
                return text, calls, None
        return reply, (), None


class ScriptedVoice(_Standin[str]):
    """Hums: each word is a quiet buzz of `seconds_per_word` at a pitch of its own, a piece of audio per word.

    The first comes after `delay` seconds, the others at once, or as they would be spoken when `realtime`. The n-th
    request raises the n-th of `errors` (None: no error) after `words_before_error` words. `sound` replaces the hum.
    """

    def __init__(
        self,
        delay: float = 0.1,
        rate: int = 8000,
        seconds_per_word: float = 0.3,
        realtime: bool = False,
        errors: Sequence[Exception | None] = (),
        words_before_error: int = 0,
        sound: Callable[[str], bytes] | None = None,
        hang: bool = False,
    ) -> None:
        super().__init__(hang)
        self.rate = rate
        self._delay = delay
        self._seconds_per_word = seconds_per_word
        self._realtime = realtime
        self._errors = errors
        self._words_before_error = words_before_error
        self._sound = sound or (lambda word: hum(word, rate, seconds_per_word))

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        with self._counted(text):
            index = len(self.asked) - 1
            error = self._errors[index] if index < len(self._errors) else None
            words = text.split()
            if error is not None:
                words = words[: self._words_before_error]
            await self._wait(self._delay)
            for number, word in enumerate(words):
                if number and self._realtime:
                    await self._wait(self._seconds_per_word)
                yield self._sound(word)
            if error is not None:
                raise error


def _latest_user(conversation: Conversation) -> int:
    """Where the caller's last message stands."""
    roles = [message.role for message in conversation.messages]
    return len(roles) - 1 - roles[::-1].index(Role.USER) if Role.USER in roles else 0


def hum(word: str, rate: int, seconds: float) -> bytes:
    """A square wave at -24 dBov, the telephone's level, at 100 to 250 Hz that stands for `word`; the last tenth is
    silent."""
    pitch = 100 + zlib.crc32(word.encode(errors="replace")) % 151
    half = max(1, rate // (2 * pitch))
    count = int(rate * seconds)
    loud = count - count // 10
    samples = array("h", ([2067] * half + [-2067] * half) * (loud // (2 * half) + 1))[:loud]
    return samples.tobytes() + bytes(2 * (count - loud))


def transcriber(model: str) -> ScriptedTranscriber:
    """The provider `scripted/TEXT|TEXT|…`."""
    return ScriptedTranscriber(model.split("|") if model else ())


def language_model(model: str) -> ScriptedModel:
    """The provider `scripted/REPLY|REPLY|…`; without replies it repeats what the caller said."""
    return ScriptedModel(model.split("|") if model else _repeat)


def voice(model: str) -> ScriptedVoice:
    """The provider `scripted`; any model hums the same."""
    return ScriptedVoice()


def _repeat(conversation: Conversation) -> str:
    said = [message.text for message in conversation.messages if message.role is Role.USER]
    return f"You said: {said[-1]}" if said else "Hello."
