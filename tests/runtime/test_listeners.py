"""Handlers of events: in order, one at a time, and never in anybody's way."""

import asyncio
import threading
from dataclasses import replace
from typing import Any, get_args

import pytest

from offhook.agent import Agent
from offhook.agent.events import EVENTS
from offhook.agent.handle import CallHandle
from offhook.call.outputs import AgentSaid, CallEnded, CallStarted, Report, ToolUsed, UserSaid
from offhook.errors import ConfigurationError
from offhook.runtime.listeners import DRAIN, Listeners
from offhook.simulator import world

START, END = CallStarted("CA1", "MZ1", True, {}), CallEnded("stop", 1, 1)


def agent() -> Agent:
    return Agent(llm="scripted")


async def call(someone: Agent, *reports: Report) -> None:
    """A call in which these reports come all at once."""
    handle = CallHandle(lambda _: None, lambda: ())
    listeners = Listeners(someone.handlers, handle)
    for report in reports:
        handle.note(report)
    await listeners.finish()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def test_every_report_has_a_name() -> None:
    assert set(EVENTS.values()) == set(get_args(Report))


def test_events_come_in_order_one_at_a_time() -> None:
    someone, seen = agent(), list[Any]()

    @someone.on("user_said")
    async def slow(call: CallHandle, event: UserSaid) -> None:
        await asyncio.sleep(1)
        seen.append((call.id, event.text))

    @someone.on("user_said")
    @someone.on("ended")
    def both(call: CallHandle, event: Report) -> None:
        seen.append(type(event).__name__)

    world.run(call(someone, START, UserSaid("one"), AgentSaid("-", True), UserSaid("two"), END))
    assert seen == [("CA1", "one"), "UserSaid", ("CA1", "two"), "UserSaid", "CallEnded"]


def test_a_handler_that_raises_is_logged_and_the_rest_go_on(caplog: pytest.LogCaptureFixture) -> None:
    someone, seen = agent(), list[str]()

    @someone.on("tool_called")
    async def broken(call: CallHandle, event: ToolUsed) -> None:
        raise KeyError(event.name)

    someone.on("tool_called")(lambda call, event: seen.append(event.name))
    world.run(call(someone, START, ToolUsed("book", "{}", "done", False), ToolUsed("ring", "{}", "done", False), END))
    assert seen == ["book", "ring"]
    assert [record.getMessage() for record in caplog.records] == ["The handler broken failed"] * 2
    assert caplog.records[0].exc_info


def test_a_handler_that_is_not_async_may_block() -> None:
    someone, where = agent(), list[bool]()

    @someone.on("started")
    def blocking(call: CallHandle, event: CallStarted) -> None:
        where.append(threading.current_thread() is threading.main_thread())

    asyncio.run(call(someone, START, END))
    assert where == [False]


def test_a_handler_that_hangs_is_stopped_after_the_call(caplog: pytest.LogCaptureFixture) -> None:
    someone = agent()

    @someone.on("user_said")
    async def hangs(call: CallHandle, event: UserSaid) -> None:
        await asyncio.Event().wait()

    async def story() -> float:
        await call(someone, START, UserSaid("x"), END)
        return asyncio.get_running_loop().time()

    assert world.run(story()) == DRAIN
    assert [record.getMessage() for record in caplog.records] == [
        "The call is over: handlers that were still busy are stopped"
    ]


def test_nobody_listens_nothing_runs() -> None:
    async def story() -> None:
        listeners = Listeners(agent().handlers, CallHandle(lambda _: None, lambda: ()))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await listeners.finish()

    world.run(story())


def test_an_unknown_name_is_told_with_the_likely_one() -> None:
    with pytest.raises(ConfigurationError, match='no event "user_sayd"; did you mean "user_said"'):
        agent().on("user_sayd")
    with pytest.raises(ConfigurationError, match=r'no event "x"\. There are: started, '):
        agent().on("x")
    with pytest.raises(ConfigurationError, match="no event"):
        Agent(llm="scripted", handlers={"end": [print]})


def test_a_copy_of_an_agent_has_handlers_of_its_own() -> None:
    someone = agent()
    someone.on("ended")(print)
    other = replace(someone, instructions="Be brief.")
    other.on("ended")(repr)
    assert (someone.handlers, other.handlers) == ({"ended": [print]}, {"ended": [print, repr]})
