"""Mu-law against the definition in ITU-T G.711."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio import mulaw

ALL = np.arange(-32_768, 32_768).astype(np.int16)


def decision_values() -> list[int]:
    """x1 to x127 of G.711 table 2a: steps of 2, 4, … 256 in eight segments, in 14 bits; the first step is half
    one."""
    values, x = [], 1
    for segment in range(8):
        for _ in range(15 if segment == 0 else 16):
            values.append(x)
            x += 2 << segment
    return values


def test_every_sample_falls_into_its_interval() -> None:
    edges = 4 * np.array(decision_values())
    assert edges[0] == 4
    assert edges[-1] == 4 * 7_903
    number = np.searchsorted(edges, np.abs(ALL.astype(int)), side="right")
    wanted = np.where(ALL < 0, 127 - number, 255 - number)
    assert mulaw.encode(ALL) == wanted.astype(np.uint8).tobytes()


def test_every_byte_stands_for_the_middle_of_its_interval() -> None:
    edges = np.array([-1, *decision_values(), 8_159])
    middle = 4 * (edges[:-1] + edges[1:]) // 2
    assert mulaw.decode(bytes(range(255, 127, -1))).tolist() == middle.tolist()
    assert mulaw.decode(bytes(range(127, -1, -1))).tolist() == (-middle).tolist()


def test_known_vectors() -> None:
    assert mulaw.decode(b"\x00\x80\x7f\xff\xf0\x70").tolist() == [-32_124, 32_124, 0, 0, 120, -120]
    assert mulaw.encode(np.array([0, 32_767, -32_768, 8, -8, 1_000], np.int16)) == b"\xff\x80\x00\xfe\x7e\xce"
    assert mulaw.encode(np.zeros(1, np.int16)) == mulaw.SILENCE


def test_the_digital_milliwatt_is_its_own() -> None:
    """The 1 kHz reference tone of G.711 table 4, at 0 dBm0."""
    milliwatt = bytes.fromhex("1e0b0b1e9e8b8b9e")
    pcm = mulaw.decode(milliwatt)
    assert mulaw.encode(pcm) == milliwatt
    assert abs(20 * np.log10(np.sqrt(np.mean(pcm.astype(float) ** 2)) / 32_768) + 6.18) < 0.05


@given(st.binary(max_size=400))
def test_what_is_decoded_encodes_to_the_same_bytes_save_for_the_second_zero(data: bytes) -> None:
    assert mulaw.encode(mulaw.decode(data)) == data.replace(b"\x7f", mulaw.SILENCE)
