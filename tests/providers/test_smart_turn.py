"""The end-of-turn model smart-turn: what it is shown, what is missing in one line, a child in nobody's way."""

import asyncio
import importlib.metadata
import importlib.util
import os
import time
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from offhook.audio import mulaw
from offhook.audio.logmel import logmel
from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.interfaces import EndOfTurnModel
from offhook.providers.turns.engine import features
from offhook.providers.turns.smart_turn import WEIGHTS, SmartTurn, model

needs_onnxruntime = pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="no onnxruntime")


def weights() -> Path | None:
    try:
        return Path(str(importlib.metadata.distribution("pipecat-ai").locate_file(WEIGHTS)))
    except importlib.metadata.PackageNotFoundError:
        return None


needs_weights = pytest.mark.skipif(weights() is None, reason="no weights: pip install --no-deps pipecat-ai")


def hum(seconds: float, hertz: float = 200) -> bytes:
    wave = np.sin(2 * np.pi * hertz * np.arange(int(seconds * 8_000)) / 8_000) * 6_000
    return mulaw.encode(wave.astype(np.int16))


def test_it_is_shown_the_last_eight_seconds() -> None:
    assert features(hum(2)).shape == (1, 80, 800)
    np.testing.assert_array_equal(features(hum(3, 400) + hum(8)), features(hum(8)))


def test_what_is_shorter_stands_at_the_end() -> None:
    shown = features(hum(2))[0]
    assert shown[:, :595].max() == shown.min()
    rate = 16_000
    wave = np.zeros(8 * rate)
    wave[-2 * rate :] = np.sin(2 * np.pi * 200 * np.arange(2 * rate) / rate) * 6_000 / 32_768
    np.testing.assert_allclose(shown[4, 600:795], logmel(wave)[4, 600:795], atol=0.02)


def test_nothing_at_all_can_be_shown() -> None:
    assert np.isfinite(features(b"")).all()


def test_missing_weights_are_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nowhere(name: str) -> NoReturn:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", nowhere)
    with pytest.raises(ConfigurationError, match=r"pip install --no-deps pipecat-ai, or .* smart-turn/PATH"):
        model("")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with pytest.raises(ConfigurationError, match=r"no weights at .*lost\.onnx"):
        asyncio.run(model(str(tmp_path / "lost.onnx")).ready())


def test_missing_onnxruntime_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'offhook\[smart-turn\]'"):
        asyncio.run(model(str(tmp_path / "any.onnx")).ready())


@needs_onnxruntime
def test_a_file_that_holds_no_model_is_a_provider_that_breaks(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model at all")

    async def story() -> None:
        judge = SmartTurn(tmp_path / "bad.onnx")
        try:
            with pytest.raises(ProviderError, match="the smart-turn model died: ") as raised:
                await judge.ready()
            assert raised.value.kind is Failure.BROKEN
            assert "\n" not in str(raised.value)
        finally:
            await judge.aclose()

    asyncio.run(story())


@needs_onnxruntime
@needs_weights
def test_with_its_weights_it_judges_and_conforms() -> None:
    async def story() -> None:
        judge = model("")
        fits: Any = judge
        assert isinstance(fits, EndOfTurnModel)
        await judge.ready()
        await judge.ready()
        said = [hum(length) + mulaw.SILENCE * 800 for length in (0.5, 2, 12)]
        alone = [await judge.judge(each) for each in said]
        assert all(0 <= each <= 1 for each in alone)
        assert len(set(alone)) == 3

        assert list(await asyncio.gather(*map(judge.judge, said))) == alone, "many at once, as each alone"

        unwanted = asyncio.create_task(judge.judge(said[2]))
        await asyncio.sleep(0.01)
        unwanted.cancel()
        began = time.monotonic()
        await asyncio.wait([unwanted])
        assert time.monotonic() - began < 0.05
        assert await judge.judge(said[0]) == alone[0], "and answers as before"

        (child,) = judge._pool.processes
        if hasattr(os, "getpriority"):
            assert os.getpriority(os.PRIO_PROCESS, child) > os.getpriority(os.PRIO_PROCESS, 0)
        await judge.aclose()
        await judge.aclose()
        assert judge._pool.processes == []

    asyncio.run(story())
