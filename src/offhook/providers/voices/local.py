"""The voice that needs no key: espeak-ng in one child process for all calls."""

import asyncio
import difflib
import functools
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path

from offhook.errors import ConfigurationError, ProviderError
from offhook.providers.children import Pool
from offhook.providers.interfaces import SpokenWord

RATE = 22_050
LIMIT = 5.0
"""Seconds without a sound after which the child is thought to hang. It needs 10 ms for 7 s of speech."""


class LocalVoice:
    """Speaks with espeak-ng in `language`, one of its voice names: "en-us", "de", "pt-br", …; "+f2" behind it names a
    speaker."""

    rate = RATE

    def __init__(self, language: str = "en-us") -> None:
        self._language = language.lower()
        self.fingerprint = f"espeak-ng {self._language}"
        """What its sound depends on."""
        self._pool = Pool("offhook.providers.voices.espeak", "local voice", size=1, limit=LIMIT)

    async def speak(self, text: str) -> AsyncIterator[bytes | SpokenWord]:
        """Yields about 60 ms at a time; the first comes within milliseconds. Text is text, never mark-up."""
        _check(self._language)
        if not (speakable := plain(text)):
            return
        # The whole sentence is read ahead, so that whoever plays it slowly does not keep the child from other calls.
        pieces: asyncio.Queue[bytes | SpokenWord | ProviderError | None] = asyncio.Queue()
        reader = asyncio.create_task(self._read(speakable, pieces))
        try:
            while (piece := await pieces.get()) is not None:
                if isinstance(piece, ProviderError):
                    raise piece
                yield piece
        finally:
            reader.cancel()

    async def ready(self) -> None:
        _check(self._language)
        await self._pool.ready()

    async def aclose(self) -> None:
        await self._pool.aclose()

    async def _read(self, text: str, pieces: "asyncio.Queue[bytes | SpokenWord | ProviderError | None]") -> None:
        try:
            async for piece in self._pool.ask([self._language, text]):
                if isinstance(piece, bytes):
                    pieces.put_nowait(piece)
                else:
                    character, sample = piece
                    pieces.put_nowait(SpokenWord(_word_at(text, character), sample))
            pieces.put_nowait(None)
        except ProviderError as error:
            pieces.put_nowait(error)


def voice(model: str) -> LocalVoice:
    """The provider `local` or `local/LANGUAGE`."""
    return LocalVoice(model or "en-us")


def plain(text: str) -> str:
    """What can be said of `text`. Control characters become spaces: espeak-ng takes them for commands."""
    kept = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(kept.encode(errors="replace").decode().split())


def _word_at(text: str, character: int) -> int:
    """The number of the word at a character. espeak-ng counts a dash to the word behind it."""
    words, number = text.split(" "), text.count(" ", 0, character)
    return next((at for at in range(number, len(words)) if any(map(str.isalnum, words[at]))), number)


@functools.cache
def _check(language: str) -> None:
    if importlib.util.find_spec("espeakng_loader") is None:
        raise ConfigurationError("the local voice needs espeak-ng: pip install 'offhook[demo]'")
    import espeakng_loader

    data = Path(espeakng_loader.get_data_path())
    known = sorted(file.name.lower() for file in (data / "lang").rglob("*"))
    speakers = {file.name for file in (data / "voices" / "!v").iterdir()}
    language, _, speaker = language.partition("+")
    if speaker and speaker not in speakers:
        raise ConfigurationError(
            f"the local voice has no speaker {speaker!r}; it has f1 to f5 and m1 to m8, for example"
        )
    if language not in known:
        near = difflib.get_close_matches(language, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ConfigurationError(f"the local voice does not speak {language!r}{hint}")
