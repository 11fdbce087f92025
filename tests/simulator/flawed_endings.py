"""Voices that are not cancelled, do not fail or do not let go as they should."""

import asyncio
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import IO, Any

from flawed_answers import Tidy

from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.simulator.conformance import cancelling, failing, letting_go
from offhook.simulator.conformance.suite import Check


class SlowToGo(Tidy):
    async def speak(self, text: str) -> AsyncIterator[bytes]:
        try:
            async for each in super().speak(text):
                yield each
        finally:
            await asyncio.sleep(0.07)


class SlowToStart(Tidy):
    async def ready(self) -> None:
        try:
            await asyncio.sleep(0.03)
        finally:
            await asyncio.sleep(0.07)


class GoesOn(Tidy):
    """Its server is not told that nobody listens any more."""

    working = 0

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.working += 1
        async for each in super().speak(text):
            yield each
        self.working -= 1


class WrongKind(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.BROKEN, "something")


class NoWish(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.OVERLOADED, "come back later")


class Talkative(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.OVERLOADED, "come back later\nif at all")


class Indiscreet(Tidy):
    def fail(self) -> None:
        raise ProviderError(Failure.OVERLOADED, "with sesame one cannot come in now")


class NoTrouble(Tidy):
    def fail(self) -> None: ...


class Resentful(Tidy):
    hurt = False

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.hurt = self.hurt or bool(self.trouble)
        if self.hurt:
            self.fail()
        async for each in super().speak(text):
            yield each


class WorriedByTheNetwork(Tidy):
    async def ready(self) -> None:
        if self.trouble:
            raise ConnectionResetError


class ReadyForNothing(Tidy):
    async def ready(self) -> None: ...


class WantsItsKeyInVerse(Tidy):
    async def ready(self) -> None:
        if self.incomplete:
            raise ConfigurationError("ACME_KEY\nis not set")


class ClosesOnce(Tidy):
    async def aclose(self) -> None:
        await super().aclose()
        if self.closed > 1:
            raise RuntimeError("closed already")


class LeavesATask(Tidy):
    async def ready(self) -> None:
        self.task = asyncio.create_task(asyncio.sleep(0.8))


class LeavesAThread(Tidy):
    async def ready(self) -> None:
        threading.Thread(target=time.sleep, args=(0.8,), daemon=True).start()


class LeavesAFile(Tidy):
    kept: list[IO[bytes]] = []

    async def ready(self) -> None:
        self.kept.append(tempfile.TemporaryFile())  # noqa: SIM115 - the flaw


class LeavesAChild(Tidy):
    kept: list[subprocess.Popen[bytes]] = []

    async def ready(self) -> None:
        self.kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(9)"]))  # noqa: ASYNC220


class Growing(Tidy):
    def __init__(self) -> None:
        self.kept: list[IO[bytes]] = []

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        self.kept.append(tempfile.TemporaryFile())  # noqa: SIM115 - the flaw
        async for each in super().speak(text):
            yield each

    async def aclose(self) -> None:
        while self.kept:
            self.kept.pop().close()


FLAWS: list[tuple[Check, Callable[[], Any], str]] = [
    (cancelling.is_cancelled_at_once, SlowToGo, "cancelled, and over only"),
    (cancelling.is_cancelled_at_once, GoesOn, "cancelled, and over only"),
    (cancelling.is_closed_at_once, SlowToGo, "closed, and over only"),
    (cancelling.is_closed_at_once, GoesOn, "closed, and over only"),
    (cancelling.getting_ready_is_cancelled_at_once, SlowToStart, "got ready, and over only"),
    (failing.says_what_went_wrong, WrongKind, "OVERLOADED, and not BROKEN"),
    (failing.says_what_went_wrong, NoWish, "retry_after is 2.0, and not None"),
    (failing.says_what_went_wrong, Talkative, "one line"),
    (failing.says_what_went_wrong, Indiscreet, "tells our secret"),
    (failing.says_what_went_wrong, NoTrouble, "must raise ProviderError"),
    (failing.says_what_went_wrong, Resentful, "come back later"),
    (failing.is_ready_or_says_why_not, WorriedByTheNetwork, "^$"),
    (failing.says_what_it_lacks, ReadyForNothing, "`ready` must raise"),
    (failing.says_what_it_lacks, WantsItsKeyInVerse, "one line"),
    (letting_go.closes_as_often_as_you_like, ClosesOnce, "closed already"),
    (letting_go.closes_at_once_behind_a_crowd, GoesOn, "still works on 8 requests"),
    (letting_go.leaves_nothing_behind, LeavesATask, "2 tasks"),
    (letting_go.leaves_nothing_behind, LeavesAThread, "2 threads"),
    (letting_go.leaves_nothing_behind, LeavesAFile, "2 files"),
    (letting_go.leaves_nothing_behind, LeavesAChild, "2 children"),
    (letting_go.does_not_grow, Growing, "8 files"),
]
