"""A provider under examination, with its surroundings."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from offhook.errors import Failure
from offhook.simulator.conformance.kinds import Provider, Questions, usual


class Subject:
    """How to make a provider, what to ask it, and how to disturb and observe what it talks to.

    A subclass may start a server when it is entered, put it out of order (`troubles`, `inflict`, `relieve`), and tell
    what it sees of the provider (`busy`, `connected`). Each check enters a new subject.
    """

    troubles: Mapping[str, Failure] = {}
    """What can go wrong here, by any names, and the kind as which the provider must report it."""
    retry_after: float | None = None
    """How many seconds an overloaded server asks to be left alone: the error's `retry_after`."""
    secret = ""
    """What no error may repeat, such as a key."""
    steady = True
    """Whether the same question gets the same answer."""
    streams = True
    """Whether the answer to the long question comes bit by bit. Not asked of transcribers."""
    questions: Questions | None = None
    """Other questions than the usual ones."""

    def __init__(self, make: Callable[[], Provider]) -> None:
        self._make = make
        self.measured: dict[str, float] = {}
        """The longest times that were measured, in seconds."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was started."""

    def make(self) -> Provider:
        """A new provider."""
        return self._make()

    def make_impatient(self) -> Provider:
        """One that soon gives up waiting, to be quick where nothing will come."""
        return self.make()

    def make_incomplete(self) -> Provider | None:
        """One that lacks what it cannot do without, such as its key. None: there is no such thing."""
        return None

    async def inflict(self, trouble: str) -> None:
        """From now on, requests meet this trouble."""

    async def relieve(self) -> None:
        """From now on, all is well again."""

    def busy(self) -> int:
        """How many requests, sessions and replies the other side still works on."""
        return 0

    def connected(self) -> int:
        """How many connections the provider holds."""
        return 0

    def told(self) -> str | None:
        """What a stream was last told to expect, as the other side sees it. None: that cannot be seen."""
        return None

    def believed(self) -> Sequence[str] | None:
        """What has been said in the last session, as its model believes. None: that cannot be seen."""
        return None

    # for the checks

    def asked(self, provider: Provider) -> Questions:
        """The questions."""
        return self.questions or usual(provider)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[Provider]:
        """A provider that is ready, and closed afterwards."""
        provider = self.make()
        try:
            await provider.ready()
            yield provider
        finally:
            await provider.aclose()

    def took(self, what: str, seconds: float) -> None:
        """Write a measurement down."""
        self.measured[what] = max(seconds, self.measured.get(what, 0.0))
