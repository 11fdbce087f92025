"""What a parent and its child process say to each other: msgpack, each message behind its length in four bytes."""

from typing import Any, BinaryIO

import msgspec

from offhook.values import Value

LENGTH = 4
LIMIT = 4_000_000
"""Bytes of a message. A minute of the caller's audio is 480,000; more can only be garbage."""


class Ask(Value, frozen=True):
    """The parent wants work done. One at a time, numbered upwards from 1."""

    request: int
    body: Any


class Drop(Value, frozen=True):
    """The parent does not want the rest. `Done` is still owed."""

    request: int


class Ready(Value, frozen=True):
    """The child has loaded its engine."""


class Piece(Value, frozen=True):
    """A part of the result."""

    request: int
    body: Any


class Done(Value, frozen=True):
    """The request is over."""

    request: int


Down = Ask | Drop
Up = Ready | Piece | Done
_DOWN = msgspec.msgpack.Decoder(Down)
_UP = msgspec.msgpack.Decoder(Up)


class FrameError(ValueError):
    """Bytes that are no message."""


def encode(message: Down | Up) -> bytes:
    body = msgspec.msgpack.encode(message)
    return len(body).to_bytes(LENGTH) + body


def length(header: bytes) -> int:
    """How many bytes follow. Raises `FrameError` where that is more than any message has."""
    size = int.from_bytes(header)
    if size > LIMIT:
        raise FrameError(f"a message of {size} bytes")
    return size


def decode_up(body: bytes) -> Up:
    """A message of the child. Raises `FrameError`."""
    try:
        message: Up = _UP.decode(body)
        return message
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise FrameError(str(error)) from error


def read_down(pipe: BinaryIO) -> Down | None:
    """The parent's next message; None when it has closed the pipe or died."""
    header = pipe.read(LENGTH)
    if len(header) < LENGTH:
        return None
    size = length(header)
    body = pipe.read(size)
    return _DOWN.decode(body) if len(body) == size else None
