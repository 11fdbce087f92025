"""Between a stream's coming and its line the desk is asked, and much can happen meanwhile."""

import asyncio
from contextlib import suppress

import pytest
from doors import AGENT, EchoEngine, ids, plain, run

from offhook.carrier.events import StreamStarted, Track
from offhook.server.desk import Post
from offhook.server.exchange import Exchange
from offhook.server.slots import Refusal

CALL, STREAM = ids(1)
STARTED = StreamStarted(CALL, STREAM, "AC", (Track.INBOUND,), True, {})


class SlowDesk:
    """Answers when the test says so."""

    ready = True
    lost = (0, 0)

    def __init__(self) -> None:
        self.answer: asyncio.Future[Refusal | None] = asyncio.get_running_loop().create_future()
        self.left: list[str] = []

    async def reserve(self, call_id: str) -> Refusal | None:
        return await self.answer

    async def seat(self, call_id: str, token: str, good_for: float) -> Refusal | None:
        return await self.answer

    def cancel(self, call_id: str) -> None: ...

    def leave(self, call_id: str) -> None:
        self.left.append(call_id)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("answer", "left"), [(None, []), (Refusal.FULL, [CALL]), (Refusal.SPENT, [CALL]), ("cancelled", [CALL])]
)
def test_no_line_is_given_back_too_early_or_never(answer: Refusal | str | None, left: list[str]) -> None:
    async def scenario() -> None:
        desk = SlowDesk()
        exchange = Exchange(AGENT, plain(), EchoEngine(), Post(desk))
        seating = asyncio.create_task(exchange.seat(STARTED))
        await asyncio.sleep(0)
        exchange.leave(CALL)
        assert not desk.left, "an older stream of the call has ended, but the call goes on"
        if answer == "cancelled":
            seating.cancel()
        else:
            desk.answer.set_result(Refusal(answer) if answer else None)
        with suppress(asyncio.CancelledError):
            await seating
        assert desk.left == left

    run(scenario())
