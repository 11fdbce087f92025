"""Virtual time: order, leaps, failures, and everything of asyncio that a call's code uses."""

import asyncio
import contextvars
import gc
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.world import DeadlockError, TimeLimitError, World, run
from offhook.timebase import Instant


def world() -> World:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, World)
    return loop


def test_an_hour_passes_at_once_and_to_the_microsecond() -> None:
    async def main() -> int:
        await asyncio.sleep(3600)
        return world().now

    assert run(main()) == 3_600_000_000


@given(st.lists(st.integers(0, 5), max_size=40))
def test_what_is_due_together_happens_in_the_order_it_was_asked_for(whens: list[int]) -> None:
    happened: list[tuple[int, int]] = []

    async def main() -> None:
        for number, when in enumerate(whens):
            world().at(Instant(when), happened.append, (when, number))
        await asyncio.sleep(1)

    run(main())
    assert happened == sorted((when, number) for number, when in enumerate(whens))


def test_all_that_is_due_at_an_instant_is_ready_before_any_of_it_runs() -> None:
    story: list[str] = []

    async def main() -> None:
        loop = world()
        loop.at(Instant(10), loop.call_soon, story.append, "deadline that steps back")
        loop.at(Instant(10), story.append, "input")
        await asyncio.sleep(1)

    run(main())
    assert story == ["input", "deadline that steps back"]


@given(st.integers(0, 10**12))
def test_a_time_in_seconds_and_back_is_the_same_instant(now: int) -> None:
    loop = World()  # type: ignore[abstract]
    loop.now = Instant(now)
    again = loop.call_at(loop.time() + 0.02, print)
    assert again.instant in (now + 20_000, now + 20_001)
    assert loop.call_at(loop.time(), print).instant <= now


def test_a_timer_never_fires_early() -> None:
    async def main() -> None:
        when = asyncio.get_running_loop().time() + 1 / 3
        fired = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_at(when, fired.set_result, None)
        await fired
        assert asyncio.get_running_loop().time() >= when

    run(main())


def test_cancelled_timers_do_not_happen_and_do_not_hold_the_clock() -> None:
    async def main() -> int:
        timer = asyncio.get_running_loop().call_later(1000, pytest.fail)
        timer.cancel()
        assert timer.cancelled()
        await asyncio.sleep(1)
        return world().now

    assert run(main()) == 1_000_000


def test_the_tools_of_asyncio_work() -> None:
    story: list[object] = []

    async def producer(queue: asyncio.Queue[int]) -> None:
        for number in range(3):
            await asyncio.sleep(0.5)
            await queue.put(number)

    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue()
        event = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(producer(queue))
            asyncio.get_running_loop().call_later(9, event.set)
            story.extend([await queue.get() for _ in range(3)])
            await event.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await asyncio.sleep(5)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.sleep(5), 1)
        story.append(await asyncio.gather(asyncio.sleep(1, "a"), asyncio.sleep(2, "b")))
        story.append(await asyncio.to_thread(sum, [1, 2]))
        story.append(world().now)

    run(main())
    assert story == [0, 1, 2, ["a", "b"], 3, 14_000_000]


def test_the_error_of_a_thread_is_the_callers() -> None:
    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)

    run(main())


def test_a_task_group_cancels_in_the_order_of_its_tasks() -> None:
    story: list[int] = []

    async def member(number: int) -> None:
        try:
            await asyncio.sleep(100)
        finally:
            story.append(number)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(50):
                group.create_task(member(number))
            await asyncio.sleep(1)
            raise LookupError

    with pytest.raises(BaseExceptionGroup):
        run(main())
    assert story == list(range(50))


def test_an_exception_in_a_callback_fails_the_run() -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_later(1, divmod, 1, 0)
        await asyncio.sleep(2)

    with pytest.raises(ZeroDivisionError):
        run(main())


def test_an_exception_that_no_task_was_asked_for_fails_the_run() -> None:
    async def broken() -> None:
        raise LookupError("nobody asks")

    async def main() -> None:
        task = asyncio.create_task(broken())
        await asyncio.sleep(1)
        del task
        gc.collect()
        await asyncio.sleep(1)

    with pytest.raises(LookupError, match="nobody asks"):
        run(main())


def test_the_main_programs_own_exception_is_raised() -> None:
    async def main() -> None:
        await asyncio.sleep(1)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(main())


def test_a_deadlock_says_who_waits_where() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError, match=r"after 0\.000000 s: .*waits in .*main"):
        run(main())


def test_time_is_limited() -> None:
    async def main() -> None:
        while True:  # noqa: ASYNC110
            await asyncio.sleep(1)

    with pytest.raises(TimeLimitError, match="limit of 60 s"):
        run(main(), limit=60)


def test_what_is_left_over_is_ended() -> None:
    ended: list[str] = []

    async def stream() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0.1)
            ended.append("generator")

    async def helper() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("task")

    async def main() -> None:
        asyncio.create_task(helper())  # noqa: RUF006
        async for _ in stream():
            break
        await asyncio.sleep(1)
        assert ended == ["generator"]

    run(main())
    assert ended == ["generator", "task"]


def test_contexts_are_kept_apart() -> None:
    variable = contextvars.ContextVar("variable", default=0)

    async def change() -> int:
        variable.set(variable.get() + 1)
        await asyncio.sleep(1)
        return variable.get()

    async def main() -> list[int]:
        return list(await asyncio.gather(change(), change()))

    assert run(main()) == [1, 1]


def test_there_is_no_network() -> None:
    async def main() -> None:
        await asyncio.open_connection("127.0.0.1", 9)

    with pytest.raises(NotImplementedError):
        run(main())
