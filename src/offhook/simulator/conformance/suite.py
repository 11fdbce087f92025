"""All checks, and how to run one."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeAlias

from offhook.simulator.conformance import answering, cancelling, conversing, failing, letting_go, listening
from offhook.simulator.conformance.subject import Subject
from offhook.simulator.conformance.timing import until

Check: TypeAlias = Callable[[Subject], Coroutine[Any, Any, None]]

CHECKS: tuple[Check, ...] = (
    answering.fits_one_interface,
    answering.answers_what_it_is_asked,
    answering.answers_bit_by_bit,
    answering.stumbles_over_nothing,
    answering.serves_many_at_once,
    answering.keeps_nobody_waiting,
    answering.leaves_the_event_loop_alone,
    cancelling.is_cancelled_at_once,
    cancelling.is_closed_at_once,
    cancelling.getting_ready_is_cancelled_at_once,
    failing.says_what_went_wrong,
    failing.is_ready_or_says_why_not,
    failing.says_what_it_lacks,
    letting_go.closes_as_often_as_you_like,
    letting_go.closes_at_once_behind_a_crowd,
    letting_go.leaves_nothing_behind,
    letting_go.does_not_grow,
    listening.hears_turn_by_turn,
    listening.forgets_what_is_cleared,
    listening.takes_hints_for_turns_to_come,
    listening.hears_turns_without_words,
    listening.stops_listening_at_once,
    conversing.reads_aloud,
    conversing.stops_talking_at_once,
    conversing.believes_what_was_heard,
    conversing.hangs_up_at_once,
)
_LIMIT = 60.0
"""Seconds after which a check has failed."""
_SETTLE = 0.5


def run(check: Check, subject: Callable[[], Subject]) -> Mapping[str, float]:
    """Examine a new subject on an event loop of its own; the times that were measured, in seconds. Raises
    AssertionError, also where tasks are left or complain."""
    return asyncio.run(_run(check, subject))


async def _run(check: Check, make: Callable[[], Subject]) -> Mapping[str, float]:
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(str(context)))
    async with asyncio.timeout(_LIMIT), make() as subject:
        await check(subject)
    await until(lambda: len(asyncio.all_tasks()) == 1, _SETTLE)
    left = [task.get_coro() for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left, f"tasks are left: {left}"
    assert not complaints, f"nobody looked at these failures: {complaints}"
    return subject.measured
