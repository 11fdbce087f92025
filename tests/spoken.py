"""Callers whose words are known: each word is synthesized once, and an ear finds it again in whatever it is given.

Two occurrences of a word would sound the same, so a conversation whose every word is to be counted uses each once.
"""

import asyncio
import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw, resample
from offhook.providers.registry import voice
from offhook.simulator import sounds
from offhook.simulator.sounds import Sound
from offhook.timebase import RATE

SPEAKER = "local/en-us+f2"
GAP = mulaw.SILENCE * (RATE // 20)
"""Between two words, 50 ms: less than what ends a burst of speech."""
_LIKE = 0.9
"""The correlation from which a stretch of sound is taken for a word."""
_END = RATE // 16
"""Samples, 60 ms, that a word may lack at its end: nobody misses the last of a sound that dies away."""


class Words:
    """Every word of some conversations, as one voice speaks it."""

    def __init__(self, spoken: dict[str, Sound]) -> None:
        self._spoken = spoken
        self._shapes = {word: _shape(_pcm(each)) for word, each in spoken.items()}

    def say(self, text: str) -> Sound:
        """Words in a row; the whole lies at the telephone's level."""
        return sounds.sound(GAP.join(self._spoken[word].mulaw for word in _split(text)), text)

    def find(self, rate: int, samples: NDArray[np.int16]) -> str:
        """The words that lie whole in some audio, but for their very end, in the order in which they were said. An ear
        for the local server."""
        sound = np.pad(resample.whole(samples, rate, RATE).astype(np.float64), (0, _END))
        found = [(at, word) for word, shape in self._shapes.items() for at in _places(sound, shape)]
        return " ".join(word for _, word in sorted(found))


def synthesize(texts: Iterable[str]) -> Words:
    """All the words of these texts."""
    return asyncio.run(_synthesize(sorted({word for text in texts for word in _split(text)})))


async def _synthesize(words: list[str]) -> Words:
    speaker = voice(SPEAKER)
    try:
        await speaker.ready()
        return Words({word: await _spoken(speaker, word) for word in words})
    finally:
        await speaker.aclose()


async def _spoken(speaker: object, word: str) -> Sound:
    sound = await sounds.spoken(speaker, word)  # type: ignore[arg-type]
    return sounds.from_pcm(_pcm(sound)[sound.start : sound.end], RATE, word, dbov=-22)


def _split(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def _pcm(sound: Sound) -> NDArray[np.int16]:
    return mulaw.decode(sound.mulaw)


def _shape(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    """A word's samples with a mean of 0 and a length of 1."""
    centred = pcm - pcm.mean()
    shape: NDArray[np.float64] = centred / np.linalg.norm(centred)
    return shape


def _places(sound: NDArray[np.float64], shape: NDArray[np.float64]) -> list[int]:
    """Where a word begins in a sound. Normalised cross-correlation; of places that overlap the best counts."""
    if len(sound) < len(shape):
        return []
    size = 1 << (len(sound) + len(shape) - 1).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(shape, size))
    likeness = np.fft.irfft(spectrum, size)[: len(sound) - len(shape) + 1]
    power = np.concatenate([[0.0], np.cumsum(sound**2)])
    likeness = likeness / np.sqrt(np.maximum(power[len(shape) :] - power[: -len(shape)], 1.0))
    places = []
    while likeness.max() > _LIKE:
        best = int(likeness.argmax())
        places.append(best)
        likeness[max(0, best - len(shape) // 2) : best + len(shape) // 2] = 0
    return places
