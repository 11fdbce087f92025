"""Lines are counted exactly, and all of them end when the server does."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.call.inputs import HangUpOrdered, Order
from offhook.runtime import switchboard
from offhook.runtime.switchboard import LinesBusyError, Switchboard


class Call:
    """A call that ends when it is told to, if it is an obedient one."""

    def __init__(self, board: Switchboard, number: int, *, obeys: bool = True, stream: str = "") -> None:
        self.call_id = f"CA{number}"
        self.stream_id = stream or f"MZ{number}"
        self.orders: list[Order] = []
        self.closed: list[str] = []
        self._board = board
        self._obeys = obeys

    def order(self, order: Order) -> None:
        self.orders.append(order)
        if self._obeys:
            self._board.disconnect(self)

    def close(self, reason: str) -> None:
        self.closed.append(reason)
        self._board.disconnect(self)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_promise_holds_a_line_until_its_stream_comes_or_its_time_is_over() -> None:
    clock = Clock()
    board = Switchboard(2, promise=30, clock=clock)
    board.promise("CA1")
    board.promise("CA1")
    board.promise("CA2")
    with pytest.raises(LinesBusyError, match="all 2 lines"):
        board.promise("CA3")
    first = Call(board, 1)
    assert board.connect(first) is None
    assert (board.taken, board.live) == (2, 1)
    clock.now = 31
    assert board.taken == 1
    board.promise("CA3")
    board.release("CA3")
    assert board.taken == 1
    board.disconnect(first)
    board.disconnect(first)
    assert (board.taken, board.live) == (0, 0)


def test_calls_are_found_by_either_id_and_replaced_by_a_second_stream() -> None:
    board = Switchboard(1, promise=30, clock=Clock())
    first, second = Call(board, 1), Call(board, 1, stream="MZ9")
    board.connect(first)
    assert board.find("CA1") is board.find("MZ1") is first
    assert board.connect(second) is first
    board.disconnect(first)
    assert board.find("CA1") is second
    assert board.find("MZ1") is None
    with pytest.raises(LinesBusyError):
        board.connect(Call(board, 2))


def test_a_parked_call_keeps_its_line_and_comes_back_on_another_stream() -> None:
    board = Switchboard(1, promise=30, clock=Clock())
    call = Call(board, 1)
    board.connect(call)
    board.park(call)
    board.park(call)
    assert (board.taken, board.live, board.lines()) == (1, 0, (call,))
    assert board.find("CA1") is call
    assert board.find("MZ1") is None
    with pytest.raises(LinesBusyError):
        board.promise("CA2")
    call.stream_id = "MZ9"
    assert board.connect(call) is None
    assert board.find("MZ9") is call
    assert (board.taken, board.live) == (1, 1)
    board.park(call)
    board.disconnect(call)
    assert (board.taken, board.live, board.lines()) == (0, 0, ())


CAPACITY = 3
MOVES = st.tuples(
    st.sampled_from(["promise", "release", "connect", "park", "move", "disconnect", "wait"]), st.integers(1, 5)
)


@given(st.lists(MOVES, max_size=60))
def test_no_order_of_events_leaks_a_line(moves: list[tuple[str, int]]) -> None:
    """Beside a model that knows only which calls there are: whatever comes, all lines are free in the end."""
    clock = Clock()
    board = Switchboard(CAPACITY, promise=30, clock=clock)
    calls: dict[int, Call] = {}
    promised: dict[int, float] = {}
    for step, (move, number) in enumerate(moves):
        call = calls.get(number)
        room = number in calls or number in promised or len(calls) + len(promised) < CAPACITY
        try:
            match move:
                case "promise":
                    board.promise(f"CA{number}")
                    assert room
                    if call is None:
                        promised[number] = clock.now + 30
                case "release":
                    board.release(f"CA{number}")
                    promised.pop(number, None)
                case "connect":
                    new = Call(board, number, stream=f"MZ{step}")
                    replaced = board.connect(new)
                    assert room
                    assert replaced is call
                    promised.pop(number, None)
                    calls[number] = new
                    if replaced:
                        board.disconnect(replaced)
                case "park" if call:
                    board.park(call)
                case "move" if call:
                    board.park(call)
                    call.stream_id = f"MZ{step}"
                    assert board.connect(call) is None
                case "disconnect" if call:
                    board.disconnect(calls.pop(number))
                case "wait":
                    clock.now += 10 * number
        except LinesBusyError:
            assert not room
        promised = {each: until for each, until in promised.items() if until > clock.now}
        assert board.taken == len(calls) + len(promised) <= CAPACITY
        assert set(board.lines()) == set(calls.values())
        assert board.live <= len(calls)
    for call in calls.values():
        board.disconnect(call)
    clock.now += 31
    assert (board.taken, board.live, board.lines()) == (0, 0, ())


def test_a_drain_waits_then_asks_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard, "GOODBYE_SECONDS", 0.01)

    async def scenario() -> None:
        board = Switchboard(3, promise=30, clock=Clock())
        obedient, deaf = Call(board, 1), Call(board, 2, obeys=False)
        board.connect(obedient)
        board.connect(deaf)
        draining = asyncio.create_task(board.drain(0.01, "Goodbye."))
        await asyncio.sleep(0)
        with pytest.raises(LinesBusyError, match="about to stop"):
            board.promise("CA3")
        await draining
        assert obedient.orders == [HangUpOrdered("Goodbye.", cut=True)]
        assert not obedient.closed
        assert deaf.closed == ["the server stops"]
        assert board.live == 0

    asyncio.run(scenario())


def test_a_drain_ends_with_the_last_call() -> None:
    async def scenario() -> None:
        board = Switchboard(1, promise=30, clock=Clock())
        call = Call(board, 1)
        board.connect(call)
        draining = asyncio.create_task(board.drain(60))
        await asyncio.sleep(0)
        assert not draining.done()
        board.disconnect(call)
        await asyncio.wait_for(draining, 1)
        assert not call.orders

    asyncio.run(scenario())
