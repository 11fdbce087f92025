"""Phrases that are spoken before anybody calls: they start at once, and are there when the voice is not.

The package carries three in English, the apology, the filler and the last goodbye, for a voice that does not work at
all. `scripts/record_phrases.py` made them.
"""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Iterable
from importlib.resources import files

import msgspec

from offhook.agent import Agent
from offhook.conversation.sentences import SentenceCutter
from offhook.conversation.speakable import speakable
from offhook.runtime.failover import Chain
from offhook.runtime.linevoice import LineVoice
from offhook.storage.phrase_store import PhraseStore, SpokenPhrase

logger = logging.getLogger("offhook.runtime")

_FILE = "phrases.msgpack"
_AT_ONCE = 4
"""Phrases that are being spoken at the same time."""
_PATIENCE = 30.0
"""Seconds after which a phrase that is still being spoken is given up."""
_REMEMBERED = 500
"""Pieces. An `answer(call)` may make a new greeting for every call."""


@functools.cache
def packaged() -> dict[str, bytes]:
    """The phrases that the package carries: text to mu-law at 8 kHz."""
    return msgspec.msgpack.decode((files("offhook.runtime") / "data" / _FILE).read_bytes(), type=dict[str, bytes])


class Recordings:
    """What voices have spoken ahead, for all agents that have these voices."""

    def __init__(self, voices: Chain[LineVoice], store: PhraseStore | None = None) -> None:
        self._voices = voices
        self._store = store
        self._spoken: dict[str, asyncio.Task[bytes]] = {}
        """By piece of text, in the order of their last use."""
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def prepare(self, agent: Agent, patience: float) -> None:
        """Have spoken what an agent is sure to say some day, and wait for it for `patience` seconds. What takes longer
        goes on; what failed is tried again the next time.
        """
        tasks = {self._task(piece, agent) for piece in sure_pieces(agent)} if self._voices.members else set()
        if tasks:
            await asyncio.wait(tasks, timeout=patience)
        failed = [error for task in tasks if task.done() and not task.cancelled() and (error := task.exception())]
        if failed:
            logger.warning("%d of %d phrases could not be spoken ahead: %s", len(failed), len(tasks), failed[0])

    def of(self, agent: Agent) -> dict[str, bytes]:
        """An agent's phrases, as far as they have been spoken. The filler is played as a whole."""
        pieces = sure_pieces(agent)
        found = {piece: audio for piece, audio in packaged().items() if piece in pieces}
        found |= {piece: task.result() for piece in pieces if (task := self._spoken.get(piece)) and _good(task)}
        filler = pieces_of(agent.phrases.filler)
        if all(piece in found for piece in filler):
            found[agent.phrases.filler] = b"".join(found[piece] for piece in filler)
        return found

    async def aclose(self) -> None:
        """Stop speaking."""
        for task in self._spoken.values():
            task.cancel()
        await asyncio.gather(*self._spoken.values(), return_exceptions=True)

    def _task(self, piece: str, agent: Agent) -> "asyncio.Task[bytes]":
        task = self._spoken.pop(piece, None)
        if task is None or (task.done() and not _good(task)):
            task = asyncio.create_task(self._speak(piece, agent))
            task.add_done_callback(_good)  # somebody has looked at its exception
        self._spoken[piece] = task
        while len(self._spoken) > _REMEMBERED:
            self._spoken.pop(next(iter(self._spoken))).cancel()
        return task

    async def _speak(self, piece: str, agent: Agent) -> bytes:
        async with self._turns, asyncio.timeout(_PATIENCE):
            whole = self._voices.ask(lambda voice: self._kept(voice, piece), agent.limits.voice)
            return b"".join([audio async for audio in whole])

    async def _kept(self, voice: LineVoice, piece: str) -> AsyncIterator[bytes]:
        """The piece in a voice, from the store if it is there. Yields nothing where nothing is said."""
        fingerprint = voice.fingerprint if self._store else ""
        store = self._store if fingerprint else None
        known = await asyncio.to_thread(store.find, fingerprint, piece) if store else None
        if known:
            if known.level is not None and voice.leveller.level is None:
                voice.leveller.level = known.level
            yield known.mulaw
            return
        async for audio in voice.whole(piece):
            if store:
                phrase = SpokenPhrase(audio, voice.leveller.level)
                await asyncio.to_thread(store.keep, fingerprint, piece, phrase)
            yield audio


async def record(pieces: Iterable[str], voice: LineVoice) -> dict[str, bytes]:
    """Each piece in a voice. Raises what the voice raises."""
    return {piece: b"".join([audio async for audio in voice.whole(piece)]) for piece in pieces}


def sure_pieces(agent: Agent) -> list[str]:
    """What an agent is sure to say some day, the greeting first."""
    first = agent.greeting if agent.flow is None else agent.flow.begin().say
    texts = [first, *(getattr(agent.phrases, name) for name in agent.phrases.__struct_fields__)]
    return list(dict.fromkeys(piece for text in texts for piece in pieces_of(text)))


@functools.lru_cache(1_000)
def pieces_of(text: str) -> tuple[str, ...]:
    """A text cut and spelled as a reply's text is: these are the pieces that will be looked up."""
    cutter = SentenceCutter()
    return tuple(piece for each in (*cutter.feed(text), *cutter.finish()) if (piece := speakable(each)))


def _good(task: "asyncio.Task[bytes]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None
