"""A connection goes to whom it concerns, or to whoever has least to do."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.server.slots import Slots
from offhook.server.workers.peek import Asked
from offhook.server.workers.placement import EXPECTED, MOST_REMEMBERED, Placement, Standing


def placed(workers: int = 2) -> tuple[Slots, Placement]:
    slots = Slots(100, 30)
    placement = Placement(slots)
    for worker in range(1, workers + 1):
        placement.put(worker, Standing.READY)
    return slots, placement


def call(number: int) -> Asked:
    return Asked(calls=(f"CA{number}",))


def test_the_path_comes_first_then_the_call_then_the_load() -> None:
    slots, placement = placed()
    slots.reserve("CA1", 2, 0)
    assert placement.pick(Asked(worker=1, calls=("CA1",)), 0) == 1
    assert placement.pick(call(1), 0) == 2
    assert placement.pick(call(9), 0) == 1
    assert placement.pick(Asked(worker=7), 0) in (1, 2), "a worker that is no more"


def test_calls_that_ring_at_the_same_instant_are_spread() -> None:
    _, placement = placed(3)
    assert sorted(placement.pick(call(number), 0) or 0 for number in range(9)) == [1, 1, 1, 2, 2, 2, 3, 3, 3]


@given(st.lists(st.sampled_from(["ring", "end", "other"]), max_size=60))
def test_loads_differ_by_one_call_at_most_while_calls_only_come(events: list[str]) -> None:
    slots, placement = placed()
    for number, event in enumerate(events):
        now = number / 1_000
        if event == "other":
            placement.pick(Asked(), now)
        else:
            worker = placement.pick(call(number), now)
            assert worker
            placement.remember(f"CA{number}", worker)
            slots.reserve(f"CA{number}", worker, now)
            if event == "end":
                slots.cancel(f"CA{number}")
        assert abs(slots.load(1) - slots.load(2)) <= 1


def test_what_comes_after_a_call_goes_to_whoever_had_it() -> None:
    slots, placement = placed()
    placement.remember("CA1", 2)
    slots.seat("CA1", 2, 0)
    slots.leave("CA1", 2)
    for _ in range(3):
        assert placement.pick(call(1), 100) == 2
    placement.remove(2)
    assert placement.pick(call(1), 100) == 1


def test_a_webhook_that_is_sent_again_goes_to_the_same_worker() -> None:
    _, placement = placed()
    assert placement.pick(call(1), 0) == placement.pick(call(1), EXPECTED / 2)


def test_the_fittest_take_new_calls_and_who_leaves_is_asked_last() -> None:
    _, placement = placed(3)
    placement.put(1, Standing.LATE)
    placement.put(2, Standing.STARTING)
    assert {placement.pick(call(number), 0) for number in range(5)} == {3}
    placement.put(3, Standing.LEAVING)
    placement.put(3, Standing.READY)
    assert placement.pick(call(10), 0) == 1, "who leaves does not come back"
    placement.put(1, Standing.SILENT)
    assert placement.pick(call(13), 0) == 2, "who says nothing may hang"
    placement.put(2, Standing.LEAVING)
    assert placement.pick(call(14), 0) == 1
    placement.remove(1)
    placement.remove(2)
    assert placement.pick(call(11), 0) == 3
    placement.remove(3)
    assert placement.pick(call(12), 0) is None


def test_strangers_cannot_fill_the_memory() -> None:
    _, placement = placed()
    for number in range(3_000):
        placement.pick(call(number), number * 1e-6)
    for number in range(MOST_REMEMBERED + 5):
        placement.remember(f"CB{number}", 1)
    assert len(placement._expected) <= 1_001
    assert len(placement._remembered) == MOST_REMEMBERED
