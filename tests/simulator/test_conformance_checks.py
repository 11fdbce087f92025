"""Each check of the conformance suite finds what it is there to find, and nothing where there is nothing."""

import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import flawed_answers
import flawed_endings
import flawed_speech
import flawed_streams
import pytest
from flawed_answers import Ear, Mind, Tidy, saying
from flawed_endings import LeavesAChild, LeavesAFile
from flawed_speech import Talker
from flawed_streams import Listener

from offhook.conversation.tools import ToolCall
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Usage
from offhook.simulator.conformance import CHECKS, Streamed, Subject, answering, run
from offhook.simulator.conformance.suite import Check


class Disturbed(Subject):
    """Overloads whatever it has made."""

    troubles = {"too much": Failure.OVERLOADED}
    retry_after = 2.0
    secret = "sesame"

    def make(self) -> Any:
        provider = super().make()
        self.made: Any = getattr(provider, "ears", provider)
        return provider

    def make_incomplete(self) -> Any:
        provider = self.make()
        self.made.incomplete = True
        return provider

    def told(self) -> Any:
        return getattr(self.made, "told", None)

    def believed(self) -> Any:
        return self.made.believed() if hasattr(self.made, "believed") else None

    async def inflict(self, trouble: str) -> None:
        self.made.trouble = trouble

    async def relieve(self) -> None:
        self.made.trouble = ""

    def busy(self) -> int:
        return getattr(self.made, "working", 0)


FLAWS = [*flawed_answers.FLAWS, *flawed_endings.FLAWS, *flawed_speech.FLAWS, *flawed_streams.FLAWS]


@pytest.mark.parametrize(("check", "flawed", "words"), FLAWS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_flaw_is_found(check: Check, flawed: Callable[[], Any], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PATIENCE", 0.2)
    with pytest.raises((AssertionError, ProviderError, UnicodeError, OSError, RuntimeError), match=words):
        run(check, lambda: Disturbed(flawed))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [Tidy, Ear, saying(Mind, "a", "b", ToolCall("1", "c", "{}"), Usage(1, 1))])
def test_without_a_flaw_nothing_is_found(check: Check, make: Callable[[], Any]) -> None:
    run(check, lambda: Subject(make))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [Tidy, Talker, Listener, lambda: Streamed(Listener())])
def test_without_a_flaw_nothing_is_found_of_what_can_be_seen(check: Check, make: Callable[[], Any]) -> None:
    run(check, lambda: Disturbed(make))


def test_every_check_is_shown_to_find_something() -> None:
    assert {check for check, _, _ in FLAWS} == set(CHECKS)


@pytest.fixture(autouse=True)
def tidied() -> Any:
    """Away with what the flawed ones left."""
    yield
    while LeavesAFile.kept:
        LeavesAFile.kept.pop().close()
    while LeavesAChild.kept:
        child = LeavesAChild.kept.pop()
        child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(5)
