"""What the callers of a load test say, and what their lines sound like."""

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from offhook.audio import level, mulaw
from offhook.errors import ConfigurationError
from offhook.simulator.load.material import line_noise, speech


def test_a_line_is_hardly_heard() -> None:
    assert -67 < level.dbov(mulaw.decode(line_noise())) < -63


def test_speech_from_a_file_loses_the_silence_around_it_and_is_as_loud_as_a_telephone(tmp_path: Path) -> None:
    tone = np.rint(np.sin(np.arange(8_000) * 0.5) * 3_000).astype(np.int16)
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(np.concatenate((np.zeros(4_000, np.int16), tone, np.zeros(4_000, np.int16))).tobytes())
    said = asyncio.run(speech(tmp_path / "tone.wav"))
    assert abs(len(said) - 8_000) <= 2
    assert abs(level.active_speech(mulaw.decode(said)) + 25) < 0.5


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*said.wav: No such file"):
        asyncio.run(speech(tmp_path / "said.wav"))
