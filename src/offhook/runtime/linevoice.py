"""A voice as it goes out on the line: mu-law at 8 kHz, at the level of the telephone, and nothing but sound."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.audio.leveller import Leveller
from offhook.audio.resample import Resampler
from offhook.audio.sniff import require_samples
from offhook.call.inputs import WordSpan
from offhook.providers.interfaces import SpokenWord, Voice
from offhook.runtime.wordtimes import WordTimes
from offhook.timebase import RATE

_AT_ONCE = 5
"""So many parts of a second of speech are dealt with one by one: two milliseconds of work each."""
_OPENING = 256
"""Bytes of speech in which it shows whether they are samples: some milliseconds."""


class LineVoice:
    """A voice, and what is known of its level."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.leveller = Leveller()

    @property
    def fingerprint(self) -> str:
        """What tells it from every voice that sounds otherwise; "" where the voice does not say."""
        return str(getattr(self.voice, "fingerprint", ""))

    async def speak(self, text: str) -> AsyncIterator[bytes | WordSpan]:
        """The text as it is spoken, held back by 8 ms at most, and where its words lie if the voice says where they
        begin: each by the time at which the next one does. Raises AudioFormatError for what is no sound.
        """
        utterance, times = self.leveller.utterance(), WordTimes(text)
        try:
            async with aclosing(cast(Any, self._at_8k(text))) as pieces:
                async for pcm in pieces:
                    if isinstance(pcm, SpokenWord):
                        times.begins(pcm.word, pcm.sample * RATE // self.voice.rate)
                    elif len(levelled := utterance.feed(pcm)):
                        for span in times.hear(levelled):
                            yield span
                        yield mulaw.encode(levelled)
        finally:
            rest = utterance.finish()
        if len(rest):
            for span in times.hear(rest):
                yield span
            yield mulaw.encode(rest)
        for span in times.finish():
            yield span

    async def whole(self, text: str) -> AsyncIterator[bytes]:
        """The text when all of it has been spoken, in one piece. Yields nothing where nothing was said."""
        async with aclosing(cast(Any, self._at_8k(text))) as pieces:
            pcm = [piece async for piece in pieces if not isinstance(piece, SpokenWord)]
        if pcm:
            yield mulaw.encode(self.leveller.whole(np.concatenate(pcm)))

    async def ready(self) -> None:
        await self.voice.ready()

    async def aclose(self) -> None:
        await self.voice.aclose()

    async def _at_8k(self, text: str) -> AsyncIterator[NDArray[np.int16] | SpokenWord]:
        resampler = Resampler(self.voice.rate, RATE)
        step = 2 * self.voice.rate // _AT_ONCE
        async with aclosing(_opened(self.voice.speak(text))) as pieces:
            async for data in pieces:
                if isinstance(data, SpokenWord):
                    yield data
                    continue
                for at in range(0, len(data), step):
                    if at:
                        await asyncio.sleep(0)  # a whole sentence in one piece must not make the other calls wait
                    if samples := resampler.feed(data[at : at + step]):
                        yield np.frombuffer(samples, "<i2")
        if samples := resampler.flush():
            yield np.frombuffer(samples, "<i2")


async def _opened(pieces: AsyncIterator[bytes | SpokenWord]) -> AsyncGenerator[bytes | SpokenWord, None]:
    """The same, after a look at the first bytes. Raises AudioFormatError for what is no sound."""
    opening: bytes | None = b""
    async with aclosing(cast(Any, pieces)):
        async for piece in pieces:
            if opening is None or isinstance(piece, SpokenWord):
                yield piece
            elif len(opening := opening + piece) >= _OPENING:
                require_samples(opening)
                yield opening
                opening = None
    if opening:
        require_samples(opening)
        yield opening
