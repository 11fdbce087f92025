"""Forms with files: multipart/form-data as RFC 7578 has it, whole in memory."""

import re
from typing import NamedTuple


class Part(NamedTuple):
    """One field. `filename` is "" where it is no file."""

    name: str
    filename: str
    content: bytes


def parse(content_type: str, body: bytes) -> list[Part]:
    """The parts of a form. Raises ValueError where it is none."""
    found = re.search(r'multipart/form-data;.*?boundary="?([^";]+)', content_type, re.IGNORECASE)
    if found is None:
        raise ValueError("the request must be multipart/form-data with a boundary")
    edge = b"\r\n--" + found[1].encode("latin-1")
    pieces = (b"\r\n" + body).split(edge)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("the form does not end with its boundary")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, gap, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    name = re.search(rb'\bname="([^"]*)"', head)
    filename = re.search(rb'\bfilename="([^"]*)"', head)
    if not gap or name is None:
        raise ValueError("a part of the form has no name")
    return Part(name[1].decode(), filename[1].decode() if filename else "", content)
