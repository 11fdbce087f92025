"""What a caller's sound picks up before it reaches the carrier: gain, noise, and the echo of what the agent plays."""

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.simulator.ledger import Ledger
from offhook.timebase import RATE
from offhook.values import Value

Samples = NDArray[np.float32]

SPEECH_LEVEL = -25.2
"""Active speech on a telephone line in dBov: -19 dBm0 (RFC 7874, section 4), and 0 dBm0 is -6.18 dBov in mu-law."""

_FULL_SCALE = 32_768.0
_LONGEST_TAIL = 4_096
_LONGEST_BLOCK = 2_048


class Noise(Value, frozen=True):
    """Noise under the caller, `snr_db` below speech at its usual level. `colour` is "white" or "pink"; `recording`
    (samples at 8 kHz) is repeated instead of either."""

    snr_db: float
    colour: str = "white"
    recording: Samples | None = None

    def loop(self, seed: int) -> Samples:
        """Ten seconds of it (or the whole recording), at its level, to be repeated without end."""
        sound = _coloured(self.colour, seed) if self.recording is None else np.asarray(self.recording, np.float64)
        target = _FULL_SCALE * 10 ** ((SPEECH_LEVEL - self.snr_db) / 20)
        rms = float(np.sqrt(np.mean(sound**2)))
        return np.asarray(sound * (target / max(rms, 1e-9)), np.float32)


class Echo(Value, frozen=True):
    """The agent's own sound coming back: `delay_ms` later, through an impulse response at 8 kHz, `gain_db` as strong.

    The response is scaled to unit energy, so that noise comes back at exactly that level; its tail ends where only a
    millionth of its energy is left, at the latest after half a second.
    """

    gain_db: float = -30.0
    delay_ms: float = 100.0
    impulse: Samples | None = None

    def taps(self) -> Samples:
        """The filter, gain included."""
        raw = np.ones(1) if self.impulse is None else np.asarray(self.impulse, np.float64)
        left = np.cumsum(raw[::-1] ** 2)[::-1]
        raw = raw[: min(_LONGEST_TAIL, int(np.count_nonzero(left > left[0] * 1e-6)))]
        return np.asarray(raw * (10 ** (self.gain_db / 20) / np.sqrt(np.sum(raw**2))), np.float32)


class Microphone:
    """Turns what the caller says into what the carrier gets. `agent` is what is played at the caller's ear."""

    def __init__(self, gain_db: float, noise: Noise | None, echo: Echo | None, seed: int, agent: Ledger) -> None:
        self._gain = 10 ** (gain_db / 20)
        self._noise = None if noise is None else noise.loop(seed)
        self._echo = None if echo is None else _EchoPath(echo, agent)
        self._clean = gain_db == 0 and noise is None and echo is None

    def hear(self, position: int, said: bytes) -> bytes:
        """The frame at a position; frames come in order and without gaps. A clean line hands it on as it is."""
        if self._clean:
            return said
        sound = mulaw.decode(said) * np.float32(self._gain)
        if self._noise is not None:
            sound += np.take(self._noise, np.arange(position, position + len(said)), mode="wrap")
        if self._echo is not None:
            sound += self._echo.frame(len(said))
        return mulaw.encode(np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16))


class _EchoPath:
    """Convolution block by block: each block of the agent adds its whole tail to what is still to come back.

    What comes back was played at least a delay ago, so a block may be as long as the delay.
    """

    def __init__(self, echo: Echo, agent: Ledger) -> None:
        self._agent = agent
        self._delay = round(echo.delay_ms * RATE / 1_000)
        self._taps = echo.taps()
        self._spectra: dict[int, NDArray[np.complex64]] = {}
        self._tail = np.zeros(len(self._taps) - 1, np.float32)
        self._ready = np.zeros(0, np.float32)
        self._reached = 0

    def frame(self, length: int) -> Samples:
        """The next samples to come back, as soon as the last of them does."""
        if len(self._ready) < length:
            self._ready = np.concatenate((self._ready, self._block(min(max(length, self._delay), _LONGEST_BLOCK))))
        given, self._ready = self._ready[:length], self._ready[length:]
        return given

    def _block(self, length: int) -> Samples:
        start = self._reached - self._delay
        self._reached += length
        coming = np.zeros(length + len(self._tail), np.float32)
        coming[: len(self._tail)] = self._tail
        if next(self._agent.pieces(start, start + length), None) is not None:
            coming += self._filtered(mulaw.decode(self._agent.between(start, start + length)))
        self._tail = coming[length:]
        return coming[:length]

    def _filtered(self, played: NDArray[np.int16]) -> Samples:
        total = len(played) + len(self._tail)
        size = 1 << (total - 1).bit_length()
        if size not in self._spectra:
            self._spectra[size] = np.fft.rfft(self._taps, size).astype(np.complex64)
        spectrum = np.fft.rfft(played.astype(np.float32), size) * self._spectra[size]
        return np.asarray(np.fft.irfft(spectrum, size)[:total], np.float32)


def _coloured(colour: str, seed: int) -> NDArray[np.float64]:
    assert colour in ("white", "pink"), f"noise is white or pink, not {colour}"
    white = np.random.default_rng(seed).standard_normal(10 * RATE)
    if colour == "white":
        return white
    spectrum = np.fft.rfft(white)
    spectrum /= np.sqrt(np.maximum(1, np.arange(len(spectrum))))
    return np.fft.irfft(spectrum, len(white))
