"""Checks of what is left: nothing, once a provider is closed, and no more from request to request while it is not."""

import asyncio
from contextlib import suppress

from offhook.errors import ProviderError
from offhook.simulator.conformance.kinds import Provider, require_answer, whole
from offhook.simulator.conformance.residue import count, residue
from offhook.simulator.conformance.subject import Subject
from offhook.simulator.conformance.timing import until

_ROUNDS = 2
_SETTLE = 0.5
"""Seconds for the other side, sockets and child processes to go."""
_END = 1.0
"""Seconds to close."""
_CROWD = 8


async def closes_as_often_as_you_like(subject: Subject) -> None:
    """Unused, used, and once more."""
    unused = subject.make()
    await unused.aclose()
    await unused.aclose()
    async with subject.working() as provider:
        question = subject.asked(provider).one
        require_answer(provider, question, await whole(provider, question))
        await provider.aclose()
        await provider.aclose()
        await require_let_go(subject)


async def closes_at_once_behind_a_crowd(subject: Subject) -> None:
    """As a server does that is told to stop: all requests are cancelled, and then nothing is needed any more."""
    async with subject.working() as provider:
        crowd: list[asyncio.Task[object]] = []
        for _ in range(_CROWD):
            crowd.append(asyncio.create_task(whole(provider, subject.asked(provider).long)))
            await asyncio.sleep(0.002)
        for task in crowd:
            task.cancel()
        await asyncio.wait(crowd)
        await asyncio.wait_for(provider.aclose(), _END)
        await require_let_go(subject)


async def leaves_nothing_behind(subject: Subject) -> None:
    """No task, thread, file, socket or child process stays when it is closed, whatever its requests came to."""
    await _life(subject)
    before = residue()
    for _ in range(_ROUNDS):
        await _life(subject)
    await until(lambda: not count().more_than(before), _SETTLE)
    grown = residue().more_than(before)
    assert not grown, f"{grown} more than before, though all was closed"
    await require_let_go(subject)


async def does_not_grow(subject: Subject) -> None:
    """What one instance holds is the same after some requests and after some more."""
    async with subject.working() as provider:
        for _ in range(2):
            await _requests(subject, provider)
        before = residue()
        for _ in range(2 * _ROUNDS):
            await _requests(subject, provider)
        await until(lambda: not count().more_than(before), _SETTLE)
        grown = residue().more_than(before)
        assert not grown, f"{grown} more after {2 * _ROUNDS} more requests"


async def _life(subject: Subject) -> None:
    async with subject.working() as provider:
        await _requests(subject, provider)
        for trouble in list(subject.troubles)[:1]:
            await subject.inflict(trouble)
            with suppress(ProviderError):
                await whole(provider, subject.asked(provider).one)
            await subject.relieve()


async def _requests(subject: Subject, provider: Provider) -> None:
    """One that is cancelled and one that is answered."""
    dropped = asyncio.create_task(whole(provider, subject.asked(provider).long))
    await asyncio.sleep(0.01)
    dropped.cancel()
    await asyncio.wait([dropped])
    await whole(provider, subject.asked(provider).one)


async def require_let_go(subject: Subject) -> None:
    """That the other side has nothing more to do with it."""
    await until(lambda: subject.busy() == subject.connected() == 0, _SETTLE)
    assert subject.busy() == 0, f"the other side still works on {subject.busy()} requests"
    assert subject.connected() == 0, f"{subject.connected()} connections are still open"
