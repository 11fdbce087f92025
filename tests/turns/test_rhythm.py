"""A caller's own pauses shift the waits, within bounds."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.timebase import Duration, ms
from offhook.turns.rhythm import Rhythm


def after(*pauses: int) -> float:
    rhythm = Rhythm()
    for pause in pauses:
        rhythm.went_on(ms(pause))
    return rhythm.pace


def test_nothing_is_known_of_a_stranger() -> None:
    assert after() == 1


def test_who_pauses_for_long_gets_more_time() -> None:
    assert 1.1 < after(1500) < 1.2
    assert after(1500) < after(1500, 1500) < after(1500, 1500, 1500)


def test_who_pauses_briefly_gets_a_little_less() -> None:
    assert 0.85 <= after(400, 400, 400) < 1


def test_the_gap_inside_a_word_and_a_trip_to_the_kitchen_are_no_pauses() -> None:
    assert after(90, 250, 20_000) == 1


@given(st.lists(st.integers(0, 60_000_000).map(Duration)))
def test_whatever_happens_the_waits_stay_near_the_usual(pauses: list[Duration]) -> None:
    rhythm = Rhythm()
    for pause in pauses:
        rhythm.went_on(pause)
    assert 0.85 <= rhythm.pace <= 1.3
