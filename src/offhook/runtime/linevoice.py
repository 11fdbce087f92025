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
from offhook.providers.interfaces import Voice
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

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        """The text as it is spoken, held back by 8 ms at most. Raises AudioFormatError for what is no sound."""
        utterance = self.leveller.utterance()
        try:
            async with aclosing(cast(Any, self._at_8k(text))) as pieces:
                async for pcm in pieces:
                    if len(levelled := utterance.feed(pcm)):
                        yield mulaw.encode(levelled)
        finally:
            rest = utterance.finish()
        if len(rest):
            yield mulaw.encode(rest)

    async def whole(self, text: str) -> AsyncIterator[bytes]:
        """The text when all of it has been spoken, in one piece. Yields nothing where nothing was said."""
        async with aclosing(cast(Any, self._at_8k(text))) as pieces:
            pcm = [piece async for piece in pieces]
        if pcm:
            yield mulaw.encode(self.leveller.whole(np.concatenate(pcm)))

    async def ready(self) -> None:
        await self.voice.ready()

    async def aclose(self) -> None:
        await self.voice.aclose()

    async def _at_8k(self, text: str) -> AsyncIterator[NDArray[np.int16]]:
        resampler = Resampler(self.voice.rate, RATE)
        step = 2 * self.voice.rate // _AT_ONCE
        async with aclosing(_opened(self.voice.speak(text))) as pieces:
            async for data in pieces:
                for at in range(0, len(data), step):
                    if at:
                        await asyncio.sleep(0)  # a whole sentence in one piece must not make the other calls wait
                    if samples := resampler.feed(data[at : at + step]):
                        yield np.frombuffer(samples, "<i2")
        if samples := resampler.flush():
            yield np.frombuffer(samples, "<i2")


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
