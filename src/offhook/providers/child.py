"""The child's side of `children`: reads requests from stdin, and leaves when the parent closes it or dies."""

import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from offhook.providers.frames import Ask, Done, Drop, Piece, Ready, Up, encode, read_down

Send = Callable[[Any], bool]
"""Hands a piece to the parent; False when it no longer wants any."""
Handler = Callable[[Any, Send], None]


def serve(load: Callable[[], Handler]) -> None:
    """Load an engine and answer requests for ever, one after another.

    Whatever a handler raises ends the process: the parent logs the last line of the traceback and starts another
    child.
    """
    pipe = _take_stdout()
    handle = load()
    wanted: queue.SimpleQueue[Ask] = queue.SimpleQueue()
    dropped: set[int] = set()
    threading.Thread(target=_listen, args=(wanted, dropped), daemon=True).start()
    _tell(pipe, Ready())
    try:
        while True:
            _answer(wanted.get(), handle, dropped, pipe)
    finally:  # Python's own way out would wait for the lock that the listening thread holds
        traceback.print_exc()
        os._exit(1)


def _answer(ask: Ask, handle: Handler, dropped: set[int], pipe: BinaryIO) -> None:
    def send(piece: Any) -> bool:
        if ask.request in dropped:
            return False
        _tell(pipe, Piece(ask.request, piece))
        return ask.request not in dropped

    if ask.request not in dropped:
        handle(ask.body, send)
    dropped.difference_update([request for request in list(dropped) if request <= ask.request])
    _tell(pipe, Done(ask.request))


def _listen(wanted: "queue.SimpleQueue[Ask]", dropped: set[int]) -> None:
    try:
        while message := read_down(sys.stdin.buffer):
            match message:
                case Ask():
                    wanted.put(message)
                case Drop():
                    dropped.add(message.request)
    finally:
        os._exit(0)


def _take_stdout() -> BinaryIO:
    """The pipe to the parent. Whatever an engine prints goes to stderr from now on, so that it cannot break the
    protocol."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _tell(pipe: BinaryIO, message: Up) -> None:
    try:
        pipe.write(encode(message))
        pipe.flush()
    except BrokenPipeError:
        os._exit(0)
