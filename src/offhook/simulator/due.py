"""What is due in a world: asyncio's timer handle, written anew, because the original's inside is private."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any


class Due(asyncio.TimerHandle):
    """Something to be called at an instant. Replaces all of its base, whose slots stay empty."""

    __slots__ = ("args", "callback", "context", "dropped", "instant")

    def __init__(self, instant: int, callback: Callable[..., Any], args: tuple[Any, ...], context: Context) -> None:
        self.instant = instant
        self.callback = callback
        self.args = args
        self.context = context
        self.dropped = False

    def cancel(self) -> None:
        self.dropped = True
        self.callback = _nothing
        self.args = ()

    def cancelled(self) -> bool:
        return self.dropped

    def when(self) -> float:
        return self.instant / 1_000_000

    def get_context(self) -> Context:
        return self.context

    def __repr__(self) -> str:
        return f"<due at {self.when():.6f} s: {self.callback!r}>"

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


def _nothing(*_: object) -> None: ...
