"""The transcriber that needs no key: pocketsphinx with a grammar per question, in child processes.

Its general language model gets 57 % of the words wrong on the telephone, so it listens only while something is
expected. A grammar always answers something; `acceptance` says when to believe it.
"""

import importlib.util
import os
from collections.abc import AsyncIterator

from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.children import Pool
from offhook.providers.interfaces import Transcript, Utterance

LIMIT = 10.0
"""Seconds for a decode that takes a tenth of the utterance's length: more is a hang, or far too many calls."""
SHORTEST = 1_200
"""Samples, 150 ms, below which nothing that was said can be told: too few frames to score."""
LONGEST = 8_000 * 12
"""Samples beyond which an utterance cannot be a short answer, and is not worth the time."""


class LocalTranscriber:
    """Listens for what is expected, with up to `processes` decodes at a time.

    `trust` makes it believe more than it does of people: a synthesized voice sounds like nobody it has ever heard.
    """

    def __init__(self, processes: int | None = None, trust: float = 0.0) -> None:
        self._trust = trust
        size = processes or max(1, min(4, (os.cpu_count() or 1) // 2))
        self._pool = Pool("offhook.providers.transcribers.sphinx", "local transcriber", size, LIMIT)

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        """One transcript, final. Raises `ProviderError` where no grammar says what to listen for."""
        _check()
        grammar = utterance.expectation.grammar
        if not grammar.strip():
            raise ProviderError(
                Failure.REFUSED,
                "the local transcriber understands expected answers only: ask a question with a Flow, or name another",
            )
        size = len(utterance.mulaw)
        if size < SHORTEST or size > LONGEST:
            yield Transcript("", understood=size < SHORTEST)
            return
        [answer] = [piece async for piece in self._pool.ask([grammar, utterance.mulaw, self._trust])]
        if isinstance(answer, str):
            raise ProviderError(Failure.REFUSED, f"the local transcriber cannot use {answer}")
        text, understood = answer
        yield Transcript(text, understood=understood)

    async def ready(self) -> None:
        _check()
        await self._pool.ready()

    async def aclose(self) -> None:
        await self._pool.aclose()


def transcriber(model: str) -> LocalTranscriber:
    """The provider `local`; there is one model only."""
    if model:
        raise ConfigurationError(f"the local transcriber has no models to choose from: local, not local/{model}")
    return LocalTranscriber()


def _check() -> None:
    if importlib.util.find_spec("pocketsphinx") is None:
        raise ConfigurationError("the local transcriber needs pocketsphinx: pip install 'offhook[demo]'")
