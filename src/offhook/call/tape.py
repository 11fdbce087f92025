"""The tape of a call: a header, then every input with the instant at which it came and a digest of what it led to.

"OFFHOOK-TAPE 2\\n"  then records: length (4 bytes, big-endian), CRC-32 (4 bytes, big-endian), MessagePack

The first record is the header, each other one a step. All audio is in the inputs: the caller's in `AudioReceived`,
ours in `VoiceAudio`, also what was never played. A tape that ends in the middle of a record (the process died) is
read up to there; one whose records are not what was written is refused.
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

MAGIC = b"OFFHOOK-TAPE 2\n"
_ANY_FORMAT = MAGIC[:-2]
_FRAME = 8
"""Bytes of a record before its MessagePack."""


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
    whole: bool = True
    """Whether it ends with a whole record; else it breaks off in the middle of one."""


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
    _check_format(data)
    records = list(_records(data))
    if not records:
        raise TapeError("This tape breaks off before its header ends, so there is nothing to replay.")
    read_up_to = len(MAGIC) + sum(_FRAME + len(record) for record in records)
    try:
        header = _header_decoder.decode(records[0])
        return Tape(header, [_step_decoder.decode(record) for record in records[1:]], read_up_to == len(data))
    except (msgspec.MsgspecError, OffhookError, ValueError, RecursionError) as error:
        raise TapeError(f"This tape was written by another version of Offhook: {error}.") from None


def _check_format(data: bytes) -> None:
    if data.startswith(MAGIC) or MAGIC.startswith(data):
        return
    if data.startswith(_ANY_FORMAT):
        raise TapeError("This tape has another format: replay it with the version of Offhook that recorded it.")
    raise TapeError("This is no tape of a call: its first bytes are not those of an Offhook tape.")


def _record(value: Header | Step) -> bytes:
    body = _encoder.encode(value)
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def _records(data: bytes) -> Iterator[bytes]:
    """The MessagePack of each whole record. Raises TapeError at one that is not what was written."""
    at = len(MAGIC)
    while at + _FRAME <= len(data):
        begin = at + _FRAME
        end = begin + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return
        if end == begin:
            raise TapeError(f"This tape is damaged: there is nothing at byte {at:,}, where a record begins.")
        record = data[begin:end]
        if zlib.crc32(record) != int.from_bytes(data[at + 4 : begin], "big"):
            raise TapeError(f"This tape is damaged: the record at byte {at:,} is not what was written there.")
        yield record
        at = end
