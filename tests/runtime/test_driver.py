"""The driver: inputs in order, one timer, one end; and captions of a call that may only be listened to."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from kit import speech

from driven import ACCOUNT, CALL, STREAM, Line, quiet
from offhook.audio import mulaw
from offhook.call.config import CallConfig
from offhook.call.inputs import DeadlinePassed, HangUpOrdered, SayOrdered
from offhook.call.outputs import UserSaid, Warned
from offhook.call.tape import Header, encode_header, read
from offhook.carrier.events import StreamStopped
from offhook.carrier.twilio import messages
from offhook.simulator import world


def test_a_call_ends_once_however_often_it_is_told_to() -> None:
    async def story() -> None:
        line = Line()
        line.start()
        await quiet(line, 1)
        for _ in range(2):
            line.driver.on_text(messages.stop(STREAM, CALL, ACCOUNT, sequence=99))
            line.driver.on_closed("the socket closed")
            line.driver.order(HangUpOrdered("Too late."))
            await line.driver.finish()
        assert [end.reason for end in line.ends] == ["stop"]
        assert line.closed == 1
        assert line.driver.ended.is_set()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    world.run(story(), limit=60)


def test_a_call_that_never_started_ends_too() -> None:
    async def story() -> None:
        line = Line()
        line.driver.on_closed("the socket closed")
        await line.driver.finish()
        assert [end.reason for end in line.ends] == ["the socket closed"]
        assert line.closed == 1
        assert line.sent == []

    world.run(story(), limit=60)


def test_nothing_is_taped_after_the_end() -> None:
    async def story() -> None:
        line = Line()
        line.start()
        line.driver.order(HangUpOrdered(cut=True))
        line.frame()
        await line.driver.finish()
        tape = read(encode_header(Header("", "", line.config)) + bytes(line.tape))
        assert isinstance(tape.steps[-1].input, HangUpOrdered)
        assert not any(isinstance(step.input, StreamStopped) for step in tape.steps)

    world.run(story(), limit=60)


def test_what_has_been_received_comes_before_a_deadline() -> None:
    """The loop was busy for seconds. The frames that wait in the socket are read first: the line was never dead."""

    async def story() -> None:
        line = Line()
        line.start()
        await quiet(line, 1)
        # Within one turn of the loop: the timer is due, and behind it the socket is read.
        loop = asyncio.get_running_loop()
        due = line.driver.call.deadline
        assert due is not None
        loop.call_at(due.at / 1_000_000, lambda: loop.call_soon(line.frame))
        await asyncio.sleep(0.25)
        tape = read(encode_header(Header("", "", line.config)) + bytes(line.tape))
        late = [step for step in tape.steps if isinstance(step.input, DeadlinePassed)]
        assert late == [] or late[0].now > due.at
        await line.driver.finish()

    world.run(story(), limit=60)


def test_instants_never_go_back() -> None:
    async def story() -> None:
        line = Line()
        line.start()
        await quiet(line, 0.5)
        line.driver.order(SayOrdered("By the way."))
        await quiet(line, 3)
        await line.driver.finish()
        tape = read(encode_header(Header("", "", line.config)) + bytes(line.tape))
        instants = [step.now for step in tape.steps]
        assert instants == sorted(instants)

    world.run(story(), limit=60)


def test_a_fault_ends_one_call_and_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        line, other = Line(), Line()
        line.start()
        other.start()
        handle: Callable[..., object] = line.driver.call.handle

        def broken(now: object, event: object) -> object:
            if not isinstance(event, StreamStopped):
                raise RuntimeError("a fault")
            return handle(now, event)

        monkeypatch.setattr(line.driver.call, "handle", broken)
        for _ in range(50):
            await asyncio.sleep(0.02)
            line.frame()
            other.frame()
        assert line.closed == 1
        assert line.driver.broken
        assert other.closed == 0
        assert not other.driver.broken
        await line.driver.finish()
        await other.driver.finish()
        assert len(line.ends) == len(other.ends) == 1
        assert line.voice.running == 0

    with caplog.at_level(logging.ERROR):
        world.run(story(), limit=60)
    assert [record.getMessage() for record in caplog.records if "fault in Offhook" in record.getMessage()] != []
    assert len(caplog.records) == 1


def test_captions_of_both_sides() -> None:
    """A one-way stream: each track has an ear and a position of its own; nothing is ever sent."""

    async def story() -> None:
        line = Line(CallConfig(), two_way=None)
        line.start("inbound", "outbound")
        gap = mulaw.SILENCE * 8_000
        await line.listen(
            {
                "inbound": gap + speech("book a room").mulaw + gap * 3 + speech("two people").mulaw + gap * 2,
                "outbound": gap * 3 + speech("what about tomorrow").mulaw + gap,
            }
        )
        await line.driver.finish()
        assert [report for report in line.reports if isinstance(report, UserSaid)] == [
            UserSaid("book a room", "inbound"),
            UserSaid("what about tomorrow", "outbound"),
            UserSaid("two people", "inbound"),
        ]
        assert line.sent == []
        assert [end.reason for end in line.ends] == ["finished"]
        assert not any(isinstance(report, Warned) for report in line.reports)

    world.run(story(), limit=60)


def test_captions_while_both_speak_at_once() -> None:
    async def story() -> None:
        line = Line(CallConfig(), two_way=None)
        line.start("inbound", "outbound")
        gap = mulaw.SILENCE * 12_000
        await line.listen(
            {
                "inbound": gap + speech("book a room please").mulaw + gap,
                "outbound": gap + speech("hello").mulaw + gap,
            }
        )
        await line.driver.finish()
        said = {report.track: report.text for report in line.reports if isinstance(report, UserSaid)}
        assert said == {"inbound": "book a room please", "outbound": "hello"}

    world.run(story(), limit=60)
