"""Calls are found by either of their ids, and all of them end when the server does."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.call.inputs import HangUpOrdered, Order
from offhook.runtime import switchboard
from offhook.runtime.switchboard import Switchboard


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


def test_calls_are_found_by_either_id_and_replaced_by_a_second_stream() -> None:
    board = Switchboard()
    first, second = Call(board, 1), Call(board, 1, stream="MZ9")
    board.connect(first)
    assert board.find("CA1") is board.find("MZ1") is first
    assert board.connect(second) is first
    board.disconnect(first)
    assert board.find("CA1") is second
    assert board.find("MZ1") is None


def test_a_parked_call_keeps_its_line_and_comes_back_on_another_stream() -> None:
    board = Switchboard()
    call = Call(board, 1)
    board.connect(call)
    board.park(call)
    board.park(call)
    assert (board.live, board.lines()) == (0, (call,))
    assert board.find("CA1") is call
    assert board.find("MZ1") is None
    call.stream_id = "MZ9"
    assert board.connect(call) is None
    assert board.find("MZ9") is call
    assert board.live == 1
    board.park(call)
    board.disconnect(call)
    assert (board.live, board.lines()) == (0, ())


MOVES = st.tuples(st.sampled_from(["connect", "park", "move", "disconnect"]), st.integers(1, 5))


@given(st.lists(MOVES, max_size=60))
def test_no_order_of_events_leaks_a_line(moves: list[tuple[str, int]]) -> None:
    """Beside a model that knows only which calls there are."""
    board = Switchboard()
    calls: dict[int, Call] = {}
    for step, (move, number) in enumerate(moves):
        call = calls.get(number)
        match move:
            case "connect":
                new = Call(board, number, stream=f"MZ{step}")
                replaced = board.connect(new)
                assert replaced is call
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
        assert set(board.lines()) == set(calls.values())
        assert board.live <= len(calls)
    for call in calls.values():
        board.disconnect(call)
    assert (board.live, board.lines()) == (0, ())


def test_a_drain_waits_then_asks_then_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard, "GOODBYE_SECONDS", 0.01)

    async def scenario() -> None:
        board = Switchboard()
        obedient, deaf = Call(board, 1), Call(board, 2, obeys=False)
        board.connect(obedient)
        board.connect(deaf)
        draining = asyncio.create_task(board.drain(0.01, "Goodbye."))
        await asyncio.sleep(0)
        assert board.draining
        await draining
        assert obedient.orders == [HangUpOrdered("Goodbye.", cut=True)]
        assert not obedient.closed
        assert deaf.closed == ["the server stops"]
        assert board.live == 0

    asyncio.run(scenario())


def test_a_drain_ends_with_the_last_call() -> None:
    async def scenario() -> None:
        board = Switchboard()
        call = Call(board, 1)
        board.connect(call)
        draining = asyncio.create_task(board.drain(60))
        await asyncio.sleep(0)
        assert not draining.done()
        board.disconnect(call)
        await asyncio.wait_for(draining, 1)
        assert not call.orders

    asyncio.run(scenario())
