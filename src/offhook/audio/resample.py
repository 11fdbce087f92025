"""From one rate to another while the sound is still coming, to the bit the same however it is cut.

The filter. Between 8 kHz and a higher rate one low-pass serves both ways: it stops what would fold back (going down)
and the images (going up). Telephone speech ends at 3.4 kHz (ITU-T G.712) and what lies beyond 4.6 kHz would fold into
it, so the edge is put in the middle, at the 4 kHz that both share, and the transition runs from 3.45 to 4.55 kHz.
Kaiser's formulas for an attenuation of A = 80 dB, five more than asked for:

    beta  = 0.1102 (A - 8.7)                    = 7.86
    order = (A - 7.95) / (2.285 * 2 pi * 1100 / rate) = rate * 4.56 ms

Each output sample thus sees 2.28 ms of input on either side. That look-ahead is all the delay there is; it is not
heard as a shift, for sample zero comes out as sample zero and `flush` gives the tail. The ripple is that of the stop
band, 10^(-80/20): 0.001 dB.

The exactness. Coefficients are whole multiples of 2^-24 and samples are whole numbers of 16 bits, so every product
has at most 40 bits and a sum of a few hundred of them fits the 53 of a float64: no addition ever rounds, hence
neither the order of additions, nor how the input was cut, nor the processor changes a bit. Quantising to 2^-24 costs
nothing: its noise lies below -130 dB.

The speed. Where one rate is a multiple of the other, 16 outputs that follow each other are one row of windows times
one matrix, in which the coefficients stand 16 times, each time further down: a third of it is zeros, and it still takes
a quarter of the time that the sums take one by one (25 us for 3,200 outputs from 24 kHz). The last row may reach beyond
what has come: zeros stand there, and what they would give is not given. Each `feed` costs 7 us besides: large pieces
are cheaper.
"""

from functools import cache
from math import ceil, gcd

import numpy as np
from numpy.typing import NDArray

EDGE, TRANSITION, ATTENUATION = 4_000, 1_100, 80
UNIT = 2.0**24
_AT_ONCE = 240
"""Outputs that are summed one by one together: keeps the work in the cache."""
_STEPS = 16
"""Steps of a block: each takes `down` inputs and gives `up` outputs."""
_PRODUCT = 2**18
"""Multiplications of one product at most. OpenBLAS does these where it stands; for more it starts threads, on the event
loop of all places."""


class Resampler:
    """One stream of signed 16-bit little-endian mono samples, from `rate_in` to `rate_out` (samples per second).

    One of the rates is 8,000, the other at least 8,000; equal rates pass through.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        assert min(rate_in, rate_out) == 8_000, f"one of the rates must be 8000: {rate_in}, {rate_out}"
        common = gcd(rate_in, rate_out)
        self._up, self._down = rate_out // common, rate_in // common
        self._same = rate_in == rate_out
        self._taps = _taps(self._up, self._down, max(rate_in, rate_out))
        self._block = _block(self._up, self._down, max(rate_in, rate_out)) if 1 in (self._up, self._down) else None
        self._reach = self._taps.shape[1] // 2
        self._beyond = np.zeros((_STEPS - 1) * self._down)
        """What the windows of a block see behind what those of its first step do."""
        self._start()

    def _start(self) -> None:
        self._half = b""
        self._held = np.zeros(self._reach - 1)
        """From the first sample on that the next output sees."""
        self._came = self._given = 0

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, cut anywhere, and give the samples that are certain by now."""
        data = self._half + data
        whole = len(data) & ~1
        self._half = data[whole:]
        if self._same:
            return data[:whole]
        pcm = np.frombuffer(data, "<i2", whole // 2)
        self._came += len(pcm)
        return self._give(pcm, (self._came - self._reach) * self._up)

    def flush(self) -> bytes:
        """The tail, computed as if silence followed. Half a sample is dropped; the next `feed` begins a new
        stream."""
        tail = b"" if self._same else self._give(np.zeros(self._reach, np.int16), self._came * self._up)
        self._start()
        return tail

    def _give(self, pcm: NDArray[np.int16], limit: int) -> bytes:
        """Every output that lies before `limit` on the time line on which inputs are `up` apart and outputs `down`,
        with so much more to see."""
        held = np.concatenate((self._held, pcm, self._beyond))
        end = max(self._given, -(-limit // self._down))
        sums = self._singly(held, end) if self._block is None else self._in_blocks(held, self._block, end)
        past = end * self._down // self._up - self._given * self._down // self._up
        self._held = held[past : len(held) - len(self._beyond)]
        self._given = end
        np.rint(sums, out=sums)
        np.maximum(sums, -32_768, out=sums)
        np.minimum(sums, 32_767, out=sums)
        return sums.astype("<i2").tobytes()

    def _in_blocks(self, held: NDArray[np.float64], block: NDArray[np.float64], end: int) -> NDArray[np.float64]:
        """The outputs before `end`. All phases see the same windows, and the next output is at phase 0."""
        count, (length, width) = end - self._given, block.shape
        windows = _windows(held, -(-count // width), _STEPS * self._down, length)
        sums = np.empty((len(windows), width))
        rows = _PRODUCT // block.size
        for at in range(0, len(windows), rows):
            np.matmul(np.ascontiguousarray(windows[at : at + rows]), block, out=sums[at : at + rows])
        return sums.reshape(-1)[:count]

    def _singly(self, held: NDArray[np.float64], end: int) -> NDArray[np.float64]:
        """The same where each phase sees other windows."""
        sums = np.empty(end - self._given)
        places = np.arange(self._given, end) * self._down
        firsts, phases = places // self._up - self._given * self._down // self._up, places % self._up
        windows = _windows(held, int(firsts[-1]) + 1 if len(firsts) else 0, 1, 2 * self._reach)
        for at in range(0, len(sums), _AT_ONCE):
            part = slice(at, at + _AT_ONCE)
            np.einsum("ij,ij->i", windows[firsts[part]], self._taps.take(phases[part], axis=0), out=sums[part])
        return sums


def _windows(held: NDArray[np.float64], count: int, step: int, length: int) -> NDArray[np.float64]:
    """`count` windows of so much of what is held, `step` apart. A tenth of the price of `sliding_window_view`."""
    item = held.itemsize
    return np.ndarray((count, length), np.float64, held, 0, (step * item, item))


@cache
def _taps(up: int, down: int, rate: int) -> NDArray[np.float64]:
    """Coefficients, whole multiples of 2^-24, by phase (`up` rows) and input sample (columns, oldest first).

    The output of phase p lies p/up of an input sample after the middle of its window's two halves.
    """
    half = (ATTENUATION - 7.95) / (2.285 * 2 * np.pi * TRANSITION) / 2
    rate_in = rate if down > up else rate * down / up
    reach = ceil(half * rate_in)
    lag = (np.arange(up)[:, None] / up - np.arange(1 - reach, reach + 1)) / rate_in
    window = np.i0(0.1102 * (ATTENUATION - 8.7) * np.sqrt(np.maximum(0, 1 - (lag / half) ** 2)))
    ideal = np.sinc(2 * EDGE * lag) * window * (abs(lag) <= half)
    taps: NDArray[np.float64] = np.rint(ideal / ideal.sum(axis=1, keepdims=True) * UNIT) / UNIT
    return taps


@cache
def _block(up: int, down: int, rate: int) -> NDArray[np.float64]:
    """What a stretch of input is multiplied by to give the outputs of 16 steps."""
    taps = _taps(up, down, rate)
    block = np.zeros((taps.shape[1] + (_STEPS - 1) * down, _STEPS, up))
    for step in range(_STEPS):
        block[step * down : step * down + taps.shape[1], step] = taps.T
    return block.reshape(len(block), -1)


def whole(pcm: NDArray[np.int16], rate_in: int, rate_out: int) -> NDArray[np.int16]:
    """A whole file at another rate, between any two, by soxr (whose streams lag too much for a live call)."""
    import soxr

    return np.asarray(soxr.resample(pcm, rate_in, rate_out), np.int16)
