"""Virtual time: an event loop in which the next thing that happens is the earliest thing that is due.

Nothing waits. When nothing is ready the clock jumps to the next timer, so hours pass in moments, and two runs of the
same program tell the same story:

- time is an integer number of microseconds;
- what is due at the same instant happens in the order in which it was asked for, and all of it becomes ready before
  any of it runs;
- a set of tasks, such as `asyncio.TaskGroup` keeps, is walked in the order of their hashes: ours are numbered, where
  asyncio's own hash by address;
- the work of a thread (`asyncio.to_thread`) is done in place and takes no time;
- an exception that nobody handles ends the run: there is no log for it to be lost in.

Sockets, signals, child processes and threads of one's own have no place here: they live in real time.
"""

import asyncio
import heapq
import sys
import weakref
from asyncio import _set_running_loop  # exported for those who write event loops
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextvars import Context, copy_context
from itertools import count
from math import ceil
from typing import Any, TypeVar, TypeVarTuple

from offhook.errors import OffhookError
from offhook.simulator.due import Due
from offhook.timebase import Instant, seconds

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_FLOAT_NOISE = 1e-3
"""A whole number of microseconds, made into seconds and back, differs from itself by less than this (microseconds)."""


class DeadlockError(OffhookError):
    """Nothing is ready, nothing is due, and the program has not finished."""


class TimeLimitError(OffhookError):
    """The program was still running when the world's time was up."""


class World(asyncio.AbstractEventLoop):
    """An event loop in virtual time. `now` counts microseconds from 0; at `limit` seconds the run fails."""

    def __init__(self, limit: float = 24 * 3600.0) -> None:
        self.now = Instant(0)
        self._limit = seconds(limit)
        self._ready: deque[Due] = deque()
        self._due: list[tuple[int, int, Due]] = []
        self._order = count()
        self._task_numbers = count(1)
        self._generators: weakref.WeakValueDictionary[int, AsyncGenerator[Any, Any]] = weakref.WeakValueDictionary()
        self._failure: BaseException | None = None
        self._debug = False
        self._running = self._stopping = self._closed = False

    # Time and what is to happen in it

    def time(self) -> float:
        return self.now / 1_000_000

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> Due:
        due = Due(self.now, callback, args, copy_context() if context is None else context)
        self._ready.append(due)
        return due

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Due:
        return self.call_soon(callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Due:
        return self._at(self.now + ceil(delay * 1_000_000 - _FLOAT_NOISE), callback, args, context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> Due:
        """As asyncio's, to the microsecond: never before `when`."""
        return self._at(ceil(when * 1_000_000 - _FLOAT_NOISE), callback, args, context)

    def at(self, when: Instant, callback: Callable[[*Ts], object], *args: *Ts) -> Due:
        """Call at an instant of this world; at once, behind what is ready, where it has passed."""
        return self._at(when, callback, args, None)

    def _at(self, when: int, callback: Callable[..., Any], args: tuple[Any, ...], context: Context | None) -> Due:
        due = Due(when, callback, args, copy_context() if context is None else context)
        if when <= self.now:
            self._ready.append(due)
        else:
            heapq.heappush(self._due, (when, next(self._order), due))
        return due

    # Running

    def run_forever(self) -> None:
        assert not self._closed, "this world is closed"
        assert not self._running, "this world is running already"
        hooks = sys.get_asyncgen_hooks()
        self._running = True
        sys.set_asyncgen_hooks(firstiter=self._generator_began, finalizer=self._generator_dropped)
        _set_running_loop(self)
        try:
            self._turn()
        finally:
            _set_running_loop(None)
            sys.set_asyncgen_hooks(*hooks)
            self._running = self._stopping = False
        self._raise_failure()

    def _turn(self) -> None:
        ready = self._ready
        popleft = ready.popleft
        while not self._stopping:
            while ready:
                due = popleft()
                if not due.dropped:
                    due.context.run(due.callback, *due.args)
                if self._stopping:
                    return
            self._raise_failure()
            self._leap()

    def _leap(self) -> None:
        """Move the clock to the next thing that is due, and make ready all that is due then."""
        due = self._due
        while due and due[0][2].dropped:
            heapq.heappop(due)
        if not due:
            raise DeadlockError(f"nothing is ready and nothing is due after {self.time():.6f} s: {self._waiting()}")
        when = due[0][0]
        if when > self._limit:
            raise TimeLimitError(
                f"still running when the limit of {self._limit / 1e6:g} s was reached: {self._waiting()}"
            )
        self.now = Instant(when)
        while due and due[0][0] == when:
            self._ready.append(heapq.heappop(due)[2])

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=hash)
        return "; ".join(f"{task.get_name()} waits in {_place(task)}" for task in tasks) or "no task is left"

    def run_until_complete(self, future: Any) -> Any:
        future = asyncio.ensure_future(future, loop=self)
        future.add_done_callback(self._main_done)
        try:
            self.run_forever()
        except BaseException:
            if future.done() and not future.cancelled():
                future.exception()  # what is being raised is the story's cause; this counts as told
            raise
        finally:
            future.remove_done_callback(self._main_done)
        return future.result()

    def _main_done(self, _: asyncio.Future[Any]) -> None:
        self._stopping = True

    def stop(self) -> None:
        self._stopping = True

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        assert not self._running, "a running world cannot be closed"
        self._closed = True
        self._ready.clear()
        self._due.clear()

    # Futures, tasks and threads

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        """As asyncio's. Options that belong to a later Python (`eager_start`) are handed on."""
        number = next(self._task_numbers)
        name = options.pop("name", None) or f"Task-{number}"
        return _Task(coro, number, loop=self, name=name, **options)

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future: asyncio.Future[T] = asyncio.Future(loop=self)

        def work() -> None:
            if future.cancelled():
                return
            try:
                future.set_result(func(*args))
            except Exception as error:
                future.set_exception(error)

        self.call_soon(work)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """There is none to shut down."""

    # Async generators

    def _generator_began(self, generator: AsyncGenerator[Any, Any]) -> None:
        self._generators[next(self._order)] = generator

    def _generator_dropped(self, generator: AsyncGenerator[Any, Any]) -> None:
        if not self._closed:
            self.create_task(generator.aclose())

    async def shutdown_asyncgens(self) -> None:
        for generator in list(self._generators.values()):
            await generator.aclose()

    # What goes wrong

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """What asyncio could tell nobody (a task's exception that was never retrieved) fails the run."""
        error = context.get("exception")
        failure = error if isinstance(error, BaseException) else RuntimeError(context.get("message", context))
        if not self._running:
            raise failure
        self._failure = self._failure or failure

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def get_debug(self) -> bool:
        return self._debug

    def set_debug(self, enabled: bool) -> None:
        self._debug = enabled


class _Task(asyncio.Task[Any]):
    def __init__(self, coro: Any, number: int, **options: Any) -> None:
        self.number = number
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number


def run(main: Coroutine[Any, Any, T], *, limit: float = 24 * 3600.0) -> T:
    """Run a program in a world of its own, for at most `limit` seconds of its time; afterwards nothing of it is left.

    Whatever fails in it, in any task or callback, is raised here.
    """
    with asyncio.Runner(loop_factory=lambda: World(limit)) as runner:  # type: ignore[abstract]  # no sockets
        return runner.run(main)


def _place(task: asyncio.Task[Any]) -> str:
    frames = task.get_stack(limit=1)
    if not frames:
        return repr(task.get_coro())
    code = frames[-1].f_code
    return f"{code.co_qualname}, line {frames[-1].f_lineno}"
