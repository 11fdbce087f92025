"""Silero VAD v6 at 8 kHz, in NumPy, for any number of streams at once.

The network looks at 256 new samples and the 32 before them. A short-time Fourier transform (windows of 128, 64 apart,
as a convolution with a learned basis) gives four frames of 65 magnitudes; four convolutions over time with ReLU make
one vector of 128 of them; an LSTM cell carries what came before; a last dot product and a sigmoid give the
probability of speech.

A convolution over so few frames is a matrix product over its flattened windows, so the whole is nine products, and a
row of them costs the less the more rows there are. Measured on one core of an AMD EPYC with OPENBLAS_NUM_THREADS=1,
microseconds of CPU per stream and chunk: 75 for one, 17 for 8, 12 for 32, 11 for 64, 16 for 128. With two threads it
is 30 from 8 upwards: the products are too small to be shared, so whoever starts the process sets that variable.

Weights: `data/silero8k.npz`, made by `scripts/extract_silero.py`; MIT licence, `data/NOTICE.silero`.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CONTEXT = 32
"""Samples of the chunk before that the network wants to see again; silence at the start of a stream."""
UNITS = 128
_WEIGHTS = Path(__file__).parent / "data" / "silero8k.npz"


class Silero:
    """The network. It keeps nothing between calls: who calls keeps each stream's state."""

    def __init__(self, weights: Path = _WEIGHTS) -> None:
        with np.load(weights) as file:
            stored = {name: file[name] for name in file.files}
        self._basis = np.ascontiguousarray(stored["stft.forward_basis_buffer"][:, 0].T)
        kernels = [stored[f"encoder.{layer}.reparam_conv.weight"].transpose(2, 1, 0) for layer in range(4)]
        self._bias = [stored[f"encoder.{layer}.reparam_conv.bias"] for layer in range(4)]
        # Each [taps, in, out], flattened; taps that would only ever meet the padding are left out.
        self._kernels = [
            np.ascontiguousarray(kernel[taps].reshape(-1, kernel.shape[2]))
            for kernel, taps in zip(kernels, (slice(0, 3), slice(0, 3), slice(1, 3), slice(1, 2)), strict=True)
        ]
        # The gates are stored as i f g o; with g last, one sigmoid covers the other three. Each has a product of its
        # own, [4, 256, 128]: so small a product OpenBLAS does without copies, in two thirds of the time up to 30 rows.
        order = [0, 1, 3, 2]
        both = np.concatenate((stored["decoder.rnn.weight_ih"], stored["decoder.rnn.weight_hh"]), axis=1)
        self._gates = np.ascontiguousarray(both.reshape(4, UNITS, -1)[order].transpose(0, 2, 1))
        bias = stored["decoder.rnn.bias_ih"] + stored["decoder.rnn.bias_hh"]
        self._gates_bias = bias.reshape(4, 1, UNITS)[order]
        self._last = stored["decoder.decoder.2.weight"].reshape(UNITS)
        self._last_bias = np.float32(stored["decoder.decoder.2.bias"].item())

    @staticmethod
    def start(streams: int) -> Floats:
        """The state of streams that have heard nothing yet: [streams, 2, 128], the LSTM's h and c."""
        return np.zeros((streams, 2, UNITS), np.float32)

    def __call__(self, sound: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Probabilities [B] and new states [B, 2, 128] for `sound` [B, 288] in -1..1 and states as they were."""
        state = self._remember(self._encode(self._spectrum(sound)), state)
        return _sigmoid(np.maximum(state[:, 0], 0) @ self._last + self._last_bias), state

    def follow(self, sound: Floats, state: Floats) -> Floats:
        """The state [2, 128] of one stream after chunks [n, 288] that follow each other. A third of the price of one
        after the other: only the last step, what is remembered, has to wait for the chunk before."""
        for seen in self._encode(self._spectrum(sound)):
            state = self._remember(seen[None], state[None])[0]
        return state

    def _remember(self, seen: Floats, state: Floats) -> Floats:
        """New states of states as they were and what is seen [B, 128]: one step of the LSTM cell."""
        gates = np.concatenate((seen, state[:, 0]), axis=1) @ self._gates
        gates += self._gates_bias
        enter, keep, leave = _sigmoid(gates[:3])
        new = np.empty_like(state)
        cell = new[:, 1]
        np.multiply(keep, state[:, 1], out=cell)
        cell += enter * np.tanh(gates[3])
        np.multiply(leave, np.tanh(cell), out=new[:, 0])
        return new

    def _spectrum(self, sound: Floats) -> Floats:
        """Magnitudes [B, 4, 65] of [B, 288] samples, with the last 32 mirrored behind the end."""
        padded = np.concatenate((sound, sound[:, -2:-34:-1]), axis=1)
        frames: Floats = np.ndarray((len(sound), 4, 128), np.float32, padded, 0, (padded.strides[0], 64 * 4, 4))
        parts = frames.reshape(-1, 128) @ self._basis
        parts *= parts
        power: Floats = parts[:, :65] + parts[:, 65:]
        return np.sqrt(power, out=power).reshape(-1, 4, 65)

    def _encode(self, magnitudes: Floats) -> Floats:
        """[B, 128] of [B, 4, 65]: 4 frames stay 4, become 2 (stride 2), become 1, stay 1."""
        streams = len(magnitudes)
        x = self._convolve(0, _windows(magnitudes, 1))
        x = self._convolve(1, _windows(x.reshape(streams, 4, 128), 2))
        x = self._convolve(2, x.reshape(streams, 128))
        return self._convolve(3, x)

    def _convolve(self, layer: int, windows: Floats) -> Floats:
        x: Floats = windows @ self._kernels[layer]
        x += self._bias[layer]
        return np.maximum(x, 0, out=x)


def _windows(frames: Floats, stride: int) -> Floats:
    """Each window of three frames, flattened, of [B, 4, n] with an empty frame on either side: [B * 4 / stride, 3
    n]."""
    streams, count, width = frames.shape
    padded = np.zeros((streams, count + 2, width), np.float32)
    padded[:, 1:-1] = frames
    per_stream, per_frame, per_value = padded.strides
    shape, strides = (streams, count // stride, 3 * width), (per_stream, stride * per_frame, per_value)
    windows: Floats = np.ndarray(shape, np.float32, padded, 0, strides)
    return windows.reshape(-1, 3 * width)


def _sigmoid(x: Floats) -> Floats:
    x = np.exp(-x)
    x += 1
    return np.reciprocal(x, out=x)
