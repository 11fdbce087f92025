"""What became of calls is known for a while, and for no more than so many."""

import pytest

from offhook.server import outcomes
from offhook.server.outcomes import MEMORY, Outcome, Outcomes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_known_adds_up_and_is_forgotten_in_time() -> None:
    clock = Clock()
    known = Outcomes(clock)
    known.note("CA1", well=True)
    clock.now = 10
    known.note("CA2", well=False)
    known.note("CA1", status="completed")
    assert known.find("CA1") == Outcome(well=True, status="completed")
    assert known.find("CA3") == Outcome()
    clock.now = 10 + MEMORY - 1
    assert known.find("CA2").well is False
    clock.now = 10 + MEMORY
    assert known.find("CA1") == known.find("CA2") == Outcome()


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MOST", 3)
    known = Outcomes(Clock())
    for call in ("CA1", "CA2", "CA3", "CA1", "CA4"):
        known.note(call, status="completed")
    assert [known.find(f"CA{number}").status for number in range(1, 5)] == ["completed", "", "completed", "completed"]
