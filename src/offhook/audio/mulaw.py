"""Mu-law, the telephone's eight bits (ITU-T G.711): both ways by table."""

import numpy as np
from numpy.typing import NDArray

SILENCE = b"\xff"
"""The byte for zero."""

_BIAS = 0x84
_CLIP = 0x7FFF - _BIAS


def _decoded() -> NDArray[np.int16]:
    """What each of the 256 bytes stands for. Bits are inverted on the line; below the sign (1: positive) lie three
    bits of segment and four of step."""
    code = ~np.arange(256, dtype=np.uint8)
    segment, step = (code >> 4) & 7, (code & 15).astype(np.int32)
    magnitude = ((step << 3) + _BIAS << segment) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoded() -> NDArray[np.uint8]:
    """The byte for each of the 65,536 samples, in the order of their unsigned twins: the interval of G.711's table 2a
    that holds it. Louder than the last interval means clipped."""
    sample = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    magnitude = np.minimum(np.abs(sample), _CLIP) + _BIAS
    segment = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    code = (segment << 4) | ((magnitude >> (segment + 3)) & 15)
    byte: NDArray[np.uint8] = (~np.where(sample < 0, code | 0x80, code)).astype(np.uint8)
    return byte


DECODED = _decoded()
"""int16 by byte, for whoever decodes a batch in place."""
_ENCODED = _encoded()


def encode(pcm: NDArray[np.int16]) -> bytes:
    """One byte per sample."""
    return _ENCODED[pcm.view(np.uint16)].tobytes()


def decode(mulaw: bytes) -> NDArray[np.int16]:
    """One sample per byte."""
    return DECODED[np.frombuffer(mulaw, np.uint8)]
