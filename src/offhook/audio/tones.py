"""The sound of keys being pressed: dual-tone multi-frequency signalling, for machines at the far end."""

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.timebase import RATE

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")
"""ITU-T Q.23: each key sounds as the frequencies of its row and its column, in hertz."""
_ON, _OFF, _WAIT = 800, 480, 4_000
"""Samples at 8 kHz: 100 ms of tone and 60 ms of silence, twice what ITU-T Q.24 asks receivers to accept; half a second
for a `w`."""
_PEAK = 32_768 * 10 ** (-10 / 20)
"""Of each frequency, before companding: -13 dBov in root mean square, the level at which exchanges send."""
_FADE = 40


def keys(digits: str) -> bytes:
    """mu-law at 8 kHz of `digits` (0-9, *, #, A-D; w or W waits half a second) being pressed. Others are passed
    over."""
    pieces = [sound for digit in digits.upper() if (sound := _key(digit)).size]
    return mulaw.encode(np.concatenate(pieces)) if pieces else b""


def _key(key: str) -> NDArray[np.int16]:
    if key == "W":
        return np.zeros(_WAIT, np.int16)
    for row, columns in zip(_ROWS, _KEYS, strict=True):
        if key in columns:
            return _tone(row, _COLUMNS[columns.index(key)])
    return np.zeros(0, np.int16)


def _tone(row: int, column: int) -> NDArray[np.int16]:
    seconds = np.arange(_ON) / RATE
    fade = np.minimum(1.0, np.minimum(np.arange(_ON), np.arange(_ON)[::-1]) / _FADE)
    wave = _PEAK / 2 * (np.sin(2 * np.pi * row * seconds) + np.sin(2 * np.pi * column * seconds)) * fade
    return np.concatenate([wave.astype(np.int16), np.zeros(_OFF, np.int16)])
