"""What a connection asks for, read off its first bytes before anybody has taken them. Pure.

Only what places it: nothing here is believed. The worker that gets the connection reads the same bytes again, and
checks signatures and tokens.
"""

import re
from urllib.parse import unquote_to_bytes

from offhook.values import Value

MOST = 96 * 1024
"""Bytes that are looked at: a form of the largest size that webhooks take, and its head."""

_STREAM = re.compile(rb"[A-Z]{1,10} [^ ?]*/twilio/stream/([0-9]{1,9})[ ?]")
"""A request line that names a worker, with or without a mount's prefix."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?:\r\n|\Z)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_CONTINUE = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"
_CALL = re.compile(rb"(?:\A|[&\n])(ParentCallSid|CallSid)=([\w.:@+=~%-]{1,384})")


class Asked(Value, frozen=True):
    """What is known of a request. `calls` are the ids that its form names, the most telling first: what is said of a
    call that was dialled for another is the other's affair."""

    worker: int | None = None
    calls: tuple[str, ...] = ()


def read(data: bytes) -> Asked | None:
    """What a request asks for; None while it has not all come."""
    head, ended, body = data.partition(b"\r\n\r\n")
    if len(data) < MOST and not (ended and _is_whole(head, body)):
        return None
    named = _STREAM.match(head)
    found = sorted(_CALL.findall(body), reverse=True)
    calls = (unquote_to_bytes(call_id).decode("utf-8", "replace") for _, call_id in found)
    return Asked(int(named[1]) if named else None, tuple(dict.fromkeys(calls)))


def _is_whole(head: bytes, body: bytes) -> bool:
    """Whether the body is there, or will not come before somebody answers."""
    if _CONTINUE.search(head):
        return True
    if _CHUNKED.search(head):
        return body.endswith(_LAST_CHUNK)
    length = _LENGTH.search(head)
    return not length or len(body) >= int(length[1])
