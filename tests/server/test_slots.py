"""Lines are counted exactly and tokens are good once, whatever the order in which things happen."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from offhook.server.slots import Refusal, Slots

CAPACITY, PROMISE = 3, 30.0


def test_a_reservation_holds_a_line_until_its_stream_comes_or_its_time_is_over() -> None:
    slots = Slots(2, PROMISE)
    assert [slots.reserve(call, 0, 0) for call in ("CA1", "CA1", "CA2", "CA3")] == [None, None, None, Refusal.FULL]
    assert slots.seat("CA1", 0, 1) is None
    assert (slots.taken(29), slots.taken(31)) == (2, 1)
    assert slots.reserve("CA3", 0, 31) is None
    slots.cancel("CA3")
    slots.cancel("CA1")
    assert slots.taken(31) == 1, "a call that is live goes on"
    slots.leave("CA1", 0)
    slots.leave("CA1", 0)
    assert slots.taken(31) == 0


def test_a_token_is_good_once_whatever_worker_it_comes_to() -> None:
    slots = Slots(2, PROMISE)
    assert slots.seat("CA1", 1, 0, "token", 30) is None
    assert slots.seat("CA1", 2, 1, "token", 29) is Refusal.SPENT
    assert slots.worker_of("CA1") == 1
    slots.leave("CA1", 1)
    assert slots.seat("CA1", 2, 2, "token", 28) is Refusal.SPENT
    assert slots.taken(2) == 0


def test_a_call_that_is_live_can_be_promised_another_stream() -> None:
    slots = Slots(1, PROMISE)
    slots.seat("CA1", 1, 0)
    assert slots.reserve("CA1", 2, 1) is None
    slots.leave("CA1", 1)
    assert slots.reserve("CA2", 2, 2) is Refusal.FULL, "the caller is between two streams"
    assert slots.seat("CA1", 2, 3) is None


def test_what_is_lost_with_a_worker_and_what_is_not() -> None:
    slots = Slots(3, PROMISE)
    slots.seat("CA1", 1, 0)
    slots.reserve("CA2", 1, 0)
    slots.seat("CA3", 2, 0)
    assert slots.lose(1) == 1
    assert slots.taken(0) == 2
    assert slots.seat("CA2", 2, 1) is None, "the stream may come to another worker"
    assert slots.load(2) == 2


def test_who_stops_takes_only_those_who_were_promised_a_line() -> None:
    slots = Slots(3, PROMISE)
    slots.reserve("CA1", 0, 0)
    slots.closed = True
    assert slots.reserve("CA2", 0, 1) is Refusal.STOPPING
    assert slots.seat("CA1", 0, 1) is None


@dataclass
class Call:
    """What a model knows of a call: with whom it is live, and until when it is promised a line."""

    worker: int | None = None
    until: float = 0


MOVES = st.tuples(
    st.sampled_from(["reserve", "seat", "seat with a token", "cancel", "leave", "lose", "wait"]),
    st.integers(1, 5),
    st.integers(1, 2),
)


@given(st.lists(MOVES, max_size=80))
def test_no_order_of_events_takes_one_line_too_many_or_loses_one(moves: list[tuple[str, int, int]]) -> None:
    slots, now, tokens = Slots(CAPACITY, PROMISE), 0.0, set[int]()
    calls: dict[int, Call] = {}
    for move, number, worker in moves:
        call_id, held = f"CA{number}", calls.get(number)
        room = None if held or len(calls) < CAPACITY else Refusal.FULL
        match move:
            case "reserve":
                assert slots.reserve(call_id, worker, now) is room
                if room is None:
                    calls.setdefault(number, Call()).until = now + PROMISE
            case "seat":
                assert slots.seat(call_id, worker, now) is room
                if room is None:
                    calls[number] = Call(worker)
            case "seat with a token":
                spent = Refusal.SPENT if number in tokens else room
                assert slots.seat(call_id, worker, now, f"token {number}", 1e6) is spent
                tokens.add(number)
                if spent is None:
                    calls[number] = Call(worker)
            case "cancel":
                slots.cancel(call_id)
                if held:
                    held.until = 0
            case "leave":
                slots.leave(call_id, worker)
                if held and held.worker == worker:
                    held.worker = None
            case "lose":
                lost = [call for call in calls.values() if call.worker == worker]
                assert slots.lose(worker) == len(lost)
                for call in lost:
                    call.worker = None
            case "wait":
                now += 7 * number
        calls = {each: call for each, call in calls.items() if call.worker or call.until > now}
        assert slots.taken(now) == len(calls) <= CAPACITY
        assert sum(slots.load(each) for each in (1, 2)) == len(calls)
        for each, call in calls.items():
            assert slots.is_live(f"CA{each}") is (call.worker is not None)
            assert call.worker in (None, slots.worker_of(f"CA{each}"))
    for worker in (1, 2):
        slots.lose(worker)
    assert slots.taken(now + PROMISE + 1) == 0
