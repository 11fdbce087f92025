"""A transcriber in virtual time that understands `speech` while it is being said."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from kit import recognise

from offhook.conversation.expectation import Expectation
from offhook.providers.interfaces import Transcript, Utterance


class _Turn:
    def __init__(self) -> None:
        self.audio = b""
        self.committed = False
        self.results: asyncio.Queue[Transcript | Exception] = asyncio.Queue()


class ScriptedStream:
    """What is appended is understood `lag` seconds later, what is committed for good after `delay`. From the moment
    that `fails` is set nothing is. It keeps what it was sent, turn by turn, and what was cleared."""

    def __init__(self, lag: float | None, delay: float, fails: Exception | None = None) -> None:
        self.fails = fails
        self.turns: list[_Turn] = []
        self.appended: list[int] = []
        """Lengths of all messages."""
        self.cleared: list[bytes] = []
        self.closed = False
        self.expected = Expectation()
        self._lag, self._delay = lag, delay
        self._open: _Turn | None = None

    @property
    def committed(self) -> list[bytes]:
        return [turn.audio for turn in self.turns if turn.committed]

    def open(self) -> None:
        if self.fails is not None:
            raise self.fails

    def expect(self, expectation: Expectation) -> None:
        self.expected = expectation

    def append(self, audio: bytes) -> int:
        assert audio, "nothing to append"
        if self._open is None:
            self._open = _Turn()
            self.turns.append(self._open)
        self._open.audio += audio
        self.appended.append(len(audio))
        if self.fails is not None:
            self._open.results.put_nowait(self.fails)
        elif self._lag is not None:
            asyncio.get_running_loop().call_later(self._lag, self._understand, self._open, self._open.audio)
        return len(self.turns)

    def commit(self) -> int:
        assert self._open is not None, "nothing to commit"
        turn, self._open = self._open, None
        turn.committed = True
        if self.fails is None:
            asyncio.get_running_loop().call_later(self._delay, turn.results.put_nowait, heard(turn.audio))
        return len(self.turns)

    def clear(self) -> None:
        if self._open is not None:
            self.cleared.append(self._open.audio)
            self._open = None

    async def transcripts(self, number: int) -> AsyncGenerator[Transcript, None]:
        while True:
            result = await self.turns[number - 1].results.get()
            if isinstance(result, Exception):
                raise result
            yield result
            if result.final:
                return

    async def aclose(self) -> None:
        self.closed = True

    def _understand(self, turn: _Turn, audio: bytes) -> None:
        turn.results.put_nowait(Transcript(heard(audio).text, final=False))


class ScriptedListener:
    """Whole utterances as `kit.ears` does, and streams. `uploads` are the utterances that it was given whole."""

    def __init__(self, lag: float | None = 0.25, delay: float = 0.2, fails: Exception | None = None) -> None:
        self.streams: list[ScriptedStream] = []
        self.uploads: list[Utterance] = []
        self.fails = fails
        self._lag, self._delay = lag, delay

    def listen(self, language: str = "", prompt: str = "") -> ScriptedStream:
        self.streams.append(ScriptedStream(self._lag, self._delay, self.fails))
        return self.streams[-1]

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        self.uploads.append(utterance)
        await asyncio.sleep(self._delay)
        if self.fails is not None:
            raise self.fails
        yield recognise(utterance)

    async def ready(self) -> None:
        """Always."""

    async def aclose(self) -> None:
        """Streams are closed by those who asked for them."""


def heard(audio: bytes) -> Transcript:
    return recognise(Utterance(audio, Expectation()))
