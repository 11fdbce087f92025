"""The end-of-turn model smart-turn, version 3, by sound alone: it runs in a child process, and needs no network.

Its weights come with the package pipecat-ai, of which nothing is imported.
"""

import importlib.metadata
import importlib.util
from pathlib import Path

from offhook.errors import ConfigurationError
from offhook.providers.children import Pool

WEIGHTS = "pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx"
LIMIT = 10.0
"""Seconds. A judgement takes a tenth of one; a child that gets no processor because calls do must not die for it."""


class SmartTurn:
    """Judges one pause at a time, by the weights in the file `weights`."""

    def __init__(self, weights: Path) -> None:
        self._weights = weights
        self._pool = Pool("offhook.providers.turns.engine", "smart-turn model", 1, LIMIT)

    async def judge(self, mulaw: bytes) -> float:
        """As `EndOfTurnModel` says. Raises `ProviderError` where the child dies or hangs."""
        [likelihood] = [piece async for piece in self._pool.ask([str(self._weights), mulaw])]
        return float(likelihood)

    async def ready(self) -> None:
        """Load the model. Raises `ConfigurationError` without onnxruntime or weights."""
        if importlib.util.find_spec("onnxruntime") is None:
            raise ConfigurationError("smart-turn needs onnxruntime: pip install 'offhook[smart-turn]'")
        if not self._weights.is_file():
            raise ConfigurationError(f"smart-turn finds no weights at {self._weights}")
        await self.judge(b"")

    async def aclose(self) -> None:
        await self._pool.aclose()


def model(path: str) -> SmartTurn:
    """The provider `smart-turn`, or `smart-turn/PATH` for weights that lie elsewhere. Raises `ConfigurationError`."""
    return SmartTurn(Path(path) if path else _installed())


def _installed() -> Path:
    try:
        package = importlib.metadata.distribution("pipecat-ai")
    except importlib.metadata.PackageNotFoundError:
        raise ConfigurationError(
            "smart-turn finds no weights: pip install --no-deps pipecat-ai, or name their file: smart-turn/PATH.onnx"
        ) from None
    return Path(str(package.locate_file(WEIGHTS)))
