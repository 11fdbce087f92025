"""The tape of a call: a header, then every input with the instant at which it came and a digest of what it led to.

"OFFHOOK-TAPE 1\\n"  then records: length (4 bytes, big-endian), MessagePack

The first record is the header, each other one a step. All audio is in the inputs: the caller's in `AudioReceived`,
ours in `VoiceAudio`, also what was never played. A tape that ends in the middle of a record (the process died) is
read up to there.
"""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from offhook.call.config import CallConfig
from offhook.call.inputs import Input
from offhook.call.outputs import Output
from offhook.errors import OffhookError
from offhook.values import Value

MAGIC = b"OFFHOOK-TAPE 1\n"


class TapeError(OffhookError):
    """A file is no tape, or was written by a version that this one cannot read."""


class Header(Value, frozen=True):
    """Everything that a replay needs besides the inputs. `started_at` is the wall clock (ISO 8601), for people only."""

    version: str
    started_at: str
    config: CallConfig


class Step(Value, frozen=True):
    """One input, the instant at which it came, and the digest of the outputs."""

    now: int
    input: Input
    digest: int


class Tape(NamedTuple):
    """A tape that has been read."""

    header: Header
    steps: list[Step]


_encoder = msgspec.msgpack.Encoder()
_header_decoder = msgspec.msgpack.Decoder(Header)
_step_decoder = msgspec.msgpack.Decoder(Step)


def digest(outputs: tuple[Output, ...]) -> int:
    """A CRC-32 of what one step led to; 0 for nothing."""
    return zlib.crc32(_encoder.encode(outputs)) if outputs else 0


def encode_header(header: Header) -> bytes:
    """The beginning of a tape."""
    return MAGIC + _record(header)


def encode_step(step: Step) -> bytes:
    """One more record."""
    return _record(step)


def read(data: bytes) -> Tape:
    """Read a whole tape. Raises TapeError."""
    if not data.startswith(MAGIC):
        raise TapeError("This is no tape of a call: its first bytes are not those of an Offhook tape.")
    records = _records(data)
    try:
        header = _header_decoder.decode(next(records))
        return Tape(header, [_step_decoder.decode(record) for record in records])
    except StopIteration:
        raise TapeError("This tape has no header: the call ended before anything was recorded.") from None
    except (msgspec.MsgspecError, OffhookError, ValueError, RecursionError) as error:
        raise TapeError(f"This tape was written by another version, or is damaged: {error}.") from None


def _record(value: Header | Step) -> bytes:
    body = _encoder.encode(value)
    return len(body).to_bytes(4, "big") + body


def _records(data: bytes) -> Iterator[bytes]:
    at = len(MAGIC)
    while at + 4 <= len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return
        yield data[at + 4 : end]
        at = end
