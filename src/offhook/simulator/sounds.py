"""What a simulated caller can utter: recordings, synthesized speech, tones, silence. All of it mu-law at 8 kHz."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offhook.audio import level, mulaw, resample, wav
from offhook.errors import ConfigurationError
from offhook.providers.interfaces import Voice
from offhook.simulator.ledger import QUIET
from offhook.timebase import RATE, Duration, lasting
from offhook.values import Value

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")
"""The keypad's frequencies in Hz (ITU-T Q.23)."""


class Sound(Value, frozen=True):
    """Mu-law bytes. From sample `start` to `end` lies what a listener would call the utterance; before and behind it
    is silence. `label` says what it is, in words."""

    mulaw: bytes
    start: int
    end: int
    label: str = ""

    @property
    def duration(self) -> Duration:
        return lasting(len(self.mulaw))


def sound(audio: bytes, label: str = "") -> Sound:
    """Mu-law bytes as they are; the utterance is what can be heard of them."""
    end = len(audio.rstrip(QUIET))
    return Sound(audio, len(audio) - len(audio.lstrip(QUIET)) if end else 0, end, label)


def from_pcm(pcm: NDArray[np.int16], rate: int, label: str = "", dbov: float | None = None) -> Sound:
    """Samples at any rate; `dbov` brings their speech to a level (`acoustics.SPEECH_LEVEL` is the telephone's)."""
    if rate != RATE:
        pcm = resample.whole(pcm, rate, RATE)
    if dbov is not None:
        louder = pcm * 10 ** ((dbov - level.active_speech(pcm)) / 20)
        pcm = np.clip(np.rint(louder), -32_768, 32_767).astype(np.int16)
    return sound(mulaw.encode(pcm), label)


def from_wav(data: bytes, label: str = "", dbov: float | None = None) -> Sound:
    """The bytes of a WAV file at any rate. Raises `AudioFormatError`."""
    rate, pcm = wav.read(data)
    return from_pcm(pcm, rate, label, dbov)


def from_file(path: Path, label: str = "", dbov: float | None = None) -> Sound:
    """A WAV file; its name is the label where none is given. Raises `AudioFormatError`, and `ConfigurationError` where
    it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror or error}") from None
    return from_wav(data, label or path.stem, dbov)


async def spoken(voice: Voice, text: str) -> Sound:
    """Text, spoken by any voice."""
    pcm = b"".join([piece async for piece in voice.speak(text) if isinstance(piece, bytes)])
    return from_pcm(np.frombuffer(pcm, "<i2", len(pcm) // 2), voice.rate, text)


def silence(seconds: float) -> Sound:
    """Nothing at all."""
    return sound(mulaw.SILENCE * round(seconds * RATE), "silence")


def tones(digits: str, seconds: float = 0.1, gap: float = 0.1) -> Sound:
    """The sound of keys being pressed, as it leaks into the audio of some lines; 8 dB below full scale."""
    time = np.arange(round(seconds * RATE)) / RATE
    pause = np.zeros(round(gap * RATE))
    parts: list[NDArray[np.float64]] = []
    for digit in digits:
        row = next(index for index, keys in enumerate(_KEYS) if digit in keys)
        pair = (_ROWS[row], _COLUMNS[_KEYS[row].index(digit)])
        parts += sum((6_500 * np.sin(2 * np.pi * hertz * time) for hertz in pair), np.zeros(len(time))), pause
    return from_pcm(np.rint(np.concatenate(parts or [pause[:0]])).astype(np.int16), RATE, f"keys {digits}")
