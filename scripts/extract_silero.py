"""Makes `src/offhook/runtime/data/silero8k.npz` from a wheel of the silero-vad package.

    pip download --no-deps silero-vad==6.2.3
    python scripts/extract_silero.py silero_vad-6.2.3-py3-none-any.whl src/offhook/runtime/data/silero8k.npz

The wheel's `silero_vad.onnx` is one `If` over the rate: its else branch is the 8 kHz network, whose weights are
constants inside the branch. They are taken out by name, unchanged, as float32. ONNX is protocol buffers, of which so
little is needed (the field numbers are those of onnx.proto3) that reading them takes 20 lines and no package.
"""

import math
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MODEL = "silero_vad/data/silero_vad.onnx"
WEIGHTS = ("stft.", "encoder.", "decoder.")
FLOAT = 1

Field = tuple[int, int | bytes]


def fields(message: bytes) -> Iterator[Field]:
    """Number and content of each field: an integer, or the bytes of a string, message or fixed-size number."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
            yield key >> 3, value
            continue
        size, at = (8, at) if key & 7 == 1 else (4, at) if key & 7 == 5 else varint(message, at)
        yield key >> 3, message[at : at + size]
        at += size


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (message[at] & 0x7F) << shift
        shift += 7
        at += 1
        if message[at - 1] < 0x80:
            return value, at


def parts(message: bytes, number: int) -> list[bytes]:
    """The content of every field of that number."""
    return [value for found, value in fields(message) if found == number and isinstance(value, bytes)]


def attributes(node: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of a node's attributes."""
    for attribute in parts(node, 5):
        yield parts(attribute, 1)[0], attribute


def branch_for_8_khz(model: bytes) -> bytes:
    """ModelProto.graph (7), its `If` node (1), the attribute `else_branch`, its graph (6)."""
    for node in parts(parts(model, 7)[0], 1):
        for name, attribute in attributes(node):
            if name == b"else_branch":
                return parts(attribute, 6)[0]
    sys.exit("this model has no branch over the rate: silero-vad 6 is needed")


def weights(graph: bytes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The named tensors (AttributeProto.t, 5) of the graph's constants."""
    for node in parts(graph, 1):
        for _, attribute in attributes(node):
            for tensor in parts(attribute, 5):
                name = b"".join(parts(tensor, 8)).decode()
                if name.startswith(WEIGHTS):
                    yield name, values(tensor)


def values(tensor: bytes) -> NDArray[np.float32]:
    """TensorProto: dims (1), data_type (2), float_data (4), raw_data (9)."""
    dims = [value for number, value in fields(tensor) if number == 1 and isinstance(value, int)]
    dims += [value for packed in parts(tensor, 1) for value in unpacked(packed)]
    assert (2, FLOAT) in fields(tensor), "only float32 weights are known"
    data = b"".join(parts(tensor, 9) or parts(tensor, 4))
    array = np.frombuffer(data, "<f4").astype(np.float32)
    assert array.size == math.prod(dims)
    return array.reshape(dims)


def unpacked(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = varint(packed, at)
        yield value


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    wheel, target = map(Path, sys.argv[1:])
    found = dict(weights(branch_for_8_khz(zipfile.ZipFile(wheel).read(MODEL))))
    with zipfile.ZipFile(target, "w") as file:
        for name, array in found.items():
            with file.open(zipfile.ZipInfo(f"{name}.npy"), "w") as entry:
                np.lib.format.write_array(entry, array)
    print(f"{target}: {len(found)} tensors, {sum(array.size for array in found.values()):,} weights")


if __name__ == "__main__":
    main()
