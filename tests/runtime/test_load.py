"""Whether hearing keeps up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.runtime.load import BOUNDS, HearingLoad


@given(st.lists(st.floats(0, 1), max_size=50))
def test_every_batch_is_counted_below_the_bound_that_it_kept(took: list[float]) -> None:
    load = HearingLoad()
    for seconds in took:
        load.took(seconds, 3, 1)
    for index, bound in enumerate(BOUNDS):
        assert sum(load.counts[: index + 1]) == sum(seconds <= bound for seconds in took)
    assert (load.batches, load.chunks, load.late) == (len(took), 3 * len(took), len(took))
    assert load.seconds == pytest.approx(sum(took))


def test_the_slowest_batch_of_a_hundred_is_not_hidden_by_the_others() -> None:
    load = HearingLoad()
    assert load.p99 == 0
    for index in range(200):
        load.took(0.04 if index % 50 == 0 else 0.001, 1, 0)
    assert load.p99 == 0.04
    for _ in range(2_000):
        load.took(0.002, 1, 0)
    assert load.p99 == 0.002
