"""Fail-over: who is asked, who takes over, who sits on the bench and for how long, and what the log says of it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from offhook.errors import ConfigurationError, Failure, OffhookError, ProviderError
from offhook.runtime.failover import Chain
from offhook.simulator import world
from offhook.timebase import ms

DOWN = ProviderError(Failure.UNREACHABLE, "nobody is there")
BUSY = ProviderError(Failure.OVERLOADED, "busy", 429)
BAD_KEY = ProviderError(Failure.REFUSED, "invalid_api_key", 401)
BAD_REQUEST = ProviderError(Failure.REFUSED, "too long", 400)


class Somebody:
    """Yields its name after `delay` seconds; `error` is raised instead, or after it where it `breaks`."""

    def __init__(self, name: str, error: Exception | None = None, delay: float = 0.1, breaks: bool = False) -> None:
        self.name = name
        self.error = error
        self.delay = delay
        self.breaks = breaks
        self.asked: list[float] = []
        self.running = 0

    async def answer(self) -> AsyncIterator[str]:
        self.asked.append(asyncio.get_running_loop().time())
        self.running += 1
        try:
            await asyncio.sleep(self.delay)
            if self.error and not self.breaks:
                raise self.error
            yield self.name
            if self.error:
                raise self.error
        finally:
            self.running -= 1


def chained(*somebody: Somebody) -> Chain[Somebody]:
    return Chain("reply", somebody)


async def ask(chain: Chain[Somebody]) -> str:
    return "".join([word async for word in chain.ask(Somebody.answer, ms(1_500))])


def run(story: Coroutine[Any, Any, None]) -> None:
    world.run(story, limit=24 * 3600)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_the_first_is_asked_while_it_answers() -> None:
    first, second = Somebody("a"), Somebody("b")

    async def story() -> None:
        chain = chained(first, second)
        assert [await ask(chain) for _ in range(3)] == ["a"] * 3
        assert second.asked == []

    run(story())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (DOWN, "reply: a failed: nobody is there; b is asked"),
        (BUSY, "reply: a failed: busy; b is asked"),
        (BAD_REQUEST, "reply: a failed: too long; b is asked"),
        (ProviderError(Failure.BROKEN, "a: 500\nserver_error", 500), "reply: a failed: 500 server_error; b is asked"),
        (ValueError("a plugin's own"), "reply: a failed: a plugin's own; b is asked"),
    ],
)
def test_the_next_takes_over_and_the_log_says_why(
    error: Exception, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        assert await ask(chained(Somebody("a", error), Somebody("b"))) == "b"

    run(story())
    assert [record.getMessage() for record in caplog.records] == [words]
    assert bool(caplog.records[0].exc_info) == (not isinstance(error, OffhookError))


def test_who_shows_no_sign_of_life_is_cancelled_while_there_is_another(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Somebody("a", delay=60), Somebody("b", delay=3)

    async def story() -> None:
        assert await ask(chained(first, second)) == "b", "the last one has all the time it wants"
        assert now() == pytest.approx(1.5 + 3)
        assert first.running == 0

    run(story())
    assert "reply: a did not answer within 1.5 s; b is asked" in caplog.text


def test_a_slow_one_is_not_given_up_for_one_on_the_bench() -> None:
    first, second = Somebody("a", DOWN), Somebody("b", delay=3)

    async def story() -> None:
        chain = chained(first, second)
        assert [await ask(chain), await ask(chain)] == ["b", "b"]
        assert len(first.asked) == 1

    run(story())


def test_nobody_takes_over_in_the_midst_of_an_answer(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Somebody("a", DOWN, breaks=True), Somebody("b")

    async def story() -> None:
        chain = chained(first, second)
        with pytest.raises(ProviderError, match="nobody is there"):
            await ask(chain)
        assert second.asked == []
        assert await ask(chain) == "b", "but the next request goes to the other"

    run(story())
    assert "reply: a broke off: nobody is there" in caplog.text


def test_the_next_takes_over_in_the_midst_of_what_is_replaced_by_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        words = chained(Somebody("a", DOWN, breaks=True), Somebody("b")).ask(Somebody.answer, ms(1_500), replaced=True)
        assert [word async for word in words] == ["a", "b"]

    run(story())
    assert "reply: a broke off: nobody is there; b is asked" in caplog.text


def test_the_only_one_is_waited_for_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        assert await ask(chained(Somebody("a", delay=1.4))) == "a"
        assert caplog.text == ""
        assert await ask(chained(Somebody("a", delay=1.6))) == "a"

    run(story())
    assert [record.message for record in caplog.records] == [
        "reply: a has not answered for 1.5 s, and nobody else is there"
    ]


def test_who_would_be_asked_now() -> None:
    first, second = Somebody("a", DOWN), Somebody("b")

    async def story() -> None:
        chain = chained(first, second)
        assert chain.prefers(first)
        await ask(chain)
        assert chain.prefers(second)
        await asyncio.sleep(11)
        assert chain.prefers(first)
        first.error = second.error = BAD_KEY
        with pytest.raises(ProviderError):
            await ask(chain)
        assert not chain.prefers(first)
        assert not chain.prefers(second)

    run(story())


def test_the_bench_doubles_up_to_five_minutes_and_success_clears_it() -> None:
    first, second = Somebody("a", DOWN, delay=0), Somebody("b", delay=0)

    async def story() -> None:
        chain = chained(first, second)
        while now() < 2_000:
            assert await ask(chain) == "b"
            await asyncio.sleep(0.5)
        waits = [later - earlier for earlier, later in zip(first.asked, first.asked[1:], strict=False)]
        assert waits == pytest.approx([10, 20, 40, 80, 160, 300, 300, 300, 300, 300])
        first.error = None
        await asyncio.sleep(300)
        assert [await ask(chain), await ask(chain)] == ["a", "a"]
        first.error = DOWN
        assert await ask(chain) == "b"
        await asyncio.sleep(10)
        first.error = None
        assert await ask(chain) == "a", "ten seconds again"

    run(story())


@pytest.mark.parametrize(("wish", "bench"), [(3.0, 3), (45.0, 45), (0.0, 0), (-5.0, 0), (1e9, 3_600)])
def test_the_bench_is_as_long_as_the_provider_asks(wish: float, bench: float) -> None:
    first = Somebody("a", ProviderError(Failure.OVERLOADED, "busy", 429, retry_after=wish), delay=0)

    async def story() -> None:
        chain = chained(first, Somebody("b", delay=0))
        await ask(chain)
        first.error = None
        if bench:
            await asyncio.sleep(bench - 0.01)
            assert await ask(chain) == "b"
            await asyncio.sleep(0.01)
        assert await ask(chain) == "a"

    run(story())


def test_where_all_are_benched_the_one_that_is_back_first_is_tried() -> None:
    wait = ProviderError(Failure.OVERLOADED, "busy", 429, retry_after=60)
    first, second = Somebody("a", wait), Somebody("b", DOWN)

    async def story() -> None:
        chain = chained(first, second)
        with pytest.raises(ProviderError, match="nobody"):
            await ask(chain)
        first.error = second.error = None
        assert await ask(chain) == "b"
        assert (len(first.asked), len(second.asked)) == (1, 2)

    run(story())


def test_only_one_has_no_bench() -> None:
    only = Somebody("a", DOWN)

    async def story() -> None:
        chain = chained(only)
        for _ in range(3):
            with pytest.raises(ProviderError, match="nobody"):
                await ask(chain)
        assert len(only.asked) == 3

    run(story())


def test_a_breakdown_that_many_calls_see_is_one() -> None:
    first = Somebody("a", DOWN, delay=1)

    async def story() -> None:
        chain = chained(first, Somebody("b"))
        assert await asyncio.gather(*(ask(chain) for _ in range(50))) == ["b"] * 50
        first.error = None
        await asyncio.sleep(10)
        assert await ask(chain) == "a"

    run(story())


def test_one_request_tries_who_was_benched_and_the_others_wait_for_it() -> None:
    first, second = Somebody("a", DOWN), Somebody("b")

    async def story() -> None:
        chain = chained(first, second)
        await ask(chain)
        await asyncio.sleep(10)
        assert await asyncio.gather(*(ask(chain) for _ in range(20))) == ["b"] * 20
        assert len(first.asked) == 2
        first.error = None
        await asyncio.sleep(20)
        assert {*await asyncio.gather(ask(chain), ask(chain))} == {"a", "b"}
        assert {*await asyncio.gather(ask(chain), ask(chain))} == {"a"}

    run(story())


@pytest.mark.parametrize("status", [307, 404, 429])
def test_a_bad_request_benches_nobody_and_what_will_be_the_same_does(status: int) -> None:
    lasting = ProviderError(Failure.REFUSED, "moved, not there, used up", status)
    first = Somebody("a", BAD_REQUEST)

    async def story() -> None:
        chain = chained(first, Somebody("b"))
        await ask(chain)
        await ask(chain)
        assert len(first.asked) == 2
        first.error = lasting
        await ask(chain)
        await ask(chain)
        assert len(first.asked) == 3

    run(story())


@pytest.mark.parametrize("error", [BAD_KEY, ProviderError(Failure.REFUSED, "no", 403), ConfigurationError("no key")])
def test_who_does_not_accept_the_key_is_out_and_that_is_said_once(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    first = Somebody("a", error)

    async def story() -> None:
        chain = chained(first, Somebody("b"))
        assert await asyncio.gather(*(ask(chain) for _ in range(5))) == ["b"] * 5
        await asyncio.sleep(3_600)
        assert await ask(chain) == "b"
        assert len(first.asked) == 5

    run(story())
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage().startswith("reply: a is not asked any more until Offhook is started anew: ")


def test_without_anybody_else_requests_fail_at_once() -> None:
    only = Somebody("a", BAD_KEY)

    async def story() -> None:
        chain = chained(only)
        for _ in range(3):
            with pytest.raises(ProviderError, match="invalid_api_key"):
                await ask(chain)
        assert len(only.asked) == 1

    run(story())


def test_a_request_that_is_given_up_says_nothing_of_the_provider(caplog: pytest.LogCaptureFixture) -> None:
    first, second = Somebody("a", delay=1), Somebody("b")

    async def story() -> None:
        chain = chained(first, second)
        task = asyncio.create_task(ask(chain))
        await asyncio.sleep(0.5)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert first.running == 0
        assert await ask(chain) == "a"

    run(story())
    assert caplog.records == []


def test_names_are_what_the_author_wrote() -> None:
    def reply() -> None: ...

    chain = Chain("reply", [1, 2, 3, 4], ["openai/gpt-5-mini", Somebody("acme"), reply, object()])
    assert [member.name for member in chain.members] == ["openai/gpt-5-mini", "acme", "reply", "object"]
    assert [member.made for member in chain.members] == [True, False, False, False]
    assert list(chain) == [1, 2, 3, 4]
