"""Checks of ends before the end: whoever hangs up or interrupts must not wait, nor pay for what nobody will hear."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial

from offhook.simulator.conformance.kinds import Provider, ask, require_answer, whole
from offhook.simulator.conformance.subject import Subject
from offhook.simulator.conformance.timing import PROMPT, Stopwatch, best, until

TURNS = (0, 1, 2, 3, 5, 8)
"""After how many turns of the event loop a request is cancelled: connections and sessions are begun in these."""
SHARES = (0.2, 0.5, 0.8)
"""After which shares of an answer's time."""
ITEMS = (0, 1, 2, 4)
"""After how many pieces an iterator is closed."""
_LONGEST = 1.0
"""Seconds beyond which the answer to a long question is not awaited."""

Wait = Callable[[], Awaitable[object]]


async def is_cancelled_at_once(subject: Subject) -> None:
    """At any moment; afterwards it answers as before."""
    async with subject.working() as provider:
        questions = subject.asked(provider)
        work = partial(whole, provider, questions.long)
        duration = await _duration(work)
        waits: list[Wait] = [partial(_turns, count) for count in TURNS]
        waits += [partial(asyncio.sleep, share * duration) for share in SHARES]
        for wait in waits:
            await require_prompt(subject, "cancelled", partial(_cancel, subject, work, wait))
        require_answer(provider, questions.one, await whole(provider, questions.one))


async def is_closed_at_once(subject: Subject) -> None:
    """Before the first piece and between any two; afterwards it answers as before."""
    async with subject.working() as provider:
        questions = subject.asked(provider)
        for count in ITEMS:
            await require_prompt(subject, "closed", partial(_close, subject, provider, count))
        require_answer(provider, questions.one, await whole(provider, questions.one))


async def getting_ready_is_cancelled_at_once(subject: Subject) -> None:
    """Whoever stops the server while it starts does not wait either."""
    provider = subject.make()
    for wait in [partial(_turns, count) for count in TURNS]:
        await require_prompt(subject, "cancelled while it got ready", partial(_cancel, subject, provider.ready, wait))
    await provider.ready()
    await provider.aclose()


async def require_prompt(subject: Subject, what: str, measure: Callable[[], Awaitable[float]]) -> None:
    """That what is measured, in seconds, does not take long."""
    subject.took(what, seconds := await best(measure, PROMPT))
    assert seconds < PROMPT, f"{what}, and over only {1_000 * seconds:.0f} ms later: {1_000 * PROMPT:.0f} are allowed"


async def _cancel(subject: Subject, work: Callable[[], Awaitable[object]], wait: Wait) -> float:
    """Seconds from the cancellation until the work is over, here and on the other side."""
    before = subject.busy()
    task = asyncio.ensure_future(work())
    await wait()
    elapsed = Stopwatch()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return await until_noticed(subject, before, elapsed)


async def _close(subject: Subject, provider: Provider, count: int) -> float:
    before = subject.busy()
    stream = ask(provider, subject.asked(provider).long)
    for _ in range(count):
        await anext(stream, None)
    elapsed = Stopwatch()
    await stream.aclose()
    return await until_noticed(subject, before, elapsed)


async def until_noticed(subject: Subject, before: int, elapsed: Stopwatch) -> float:
    """Seconds that it took until the other side works on no more requests than before."""
    await until(lambda: subject.busy() <= before, 2 * PROMPT)
    return elapsed()


async def _duration(work: Callable[[], Awaitable[object]]) -> float:
    elapsed = Stopwatch()
    with suppress(TimeoutError):
        await asyncio.wait_for(work(), _LONGEST)
    return elapsed()


async def _turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
