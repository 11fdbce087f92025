"""Who dies again and again is begun less and less often."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.server.workers.deaths import CALM, LONGEST_WAIT, Deaths, obituary


def test_the_first_is_replaced_at_once_the_others_later_and_later() -> None:
    deaths = Deaths()
    assert [deaths.add(second) for second in range(9)] == [0, 0.5, 1, 2, 4, 8, 16, 30, 30]
    assert deaths.in_a_row == 9


def test_after_calm_the_next_is_the_first() -> None:
    deaths = Deaths()
    assert [deaths.add(now) for now in (0, 1, 1 + CALM, 2 + 2 * CALM)] == [0, 0.5, 1, 0]
    assert deaths.in_a_row == 1


@given(st.integers(1, 5_000))
def test_however_many_there_are_the_wait_has_an_end(count: int) -> None:
    deaths = Deaths()
    assert max(deaths.add(0) for _ in range(count)) <= LONGEST_WAIT


def test_only_who_is_killed_by_others_may_have_wanted_memory() -> None:
    assert obituary(3, 7, hung=False) == "worker 3 has died (exit code 7)"
    assert obituary(3, -9, hung=True) == "worker 3 has died (exit code -9)"
    assert "for want of memory; fewer --workers" in obituary(3, -9, hung=False)
