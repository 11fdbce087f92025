"""The driver: inputs in order, one timer, one end; and captions of a call that may only be listened to."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kit import ears, speech

from offhook.agent import Agent
from offhook.agent.handle import CallHandle
from offhook.audio import mulaw
from offhook.call.config import CallConfig
from offhook.call.inputs import DeadlinePassed, HangUpOrdered, SayOrdered
from offhook.call.outputs import AgentSaid, CallEnded, Report, ToolUsed, UserSaid, Warned
from offhook.call.tape import Header, encode_header, read
from offhook.carrier.events import StreamStopped
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.conversation.messages import Role
from offhook.conversation.tools import ToolCall
from offhook.providers.interfaces import Conversation, LanguageModel
from offhook.providers.scripted import ScriptedModel, ScriptedVoice
from offhook.runtime.driver import Driver
from offhook.runtime.services import Services
from offhook.runtime.toolbox import Toolbox
from offhook.simulator import world
from offhook.simulator.clock import LoopClock
from offhook.simulator.evidence import Loudness

STREAM, CALL, ACCOUNT = "MZ1", "CA1", "AC1"


class Line:
    """A driver and a hand that feeds it."""

    def __init__(
        self,
        config: CallConfig | None = None,
        *,
        two_way: bool | None = True,
        model: LanguageModel | None = None,
        **given: Any,
    ) -> None:
        self.sent: list[str] = []
        self.closed = 0
        self.reports: list[Report] = []
        self.tape = bytearray()
        self.config = config or CallConfig(greeting="Hello.")
        self.transcriber, self.voice = ears(), ScriptedVoice()
        self.driver = Driver(
            self.config,
            Services([self.transcriber], [model or ScriptedModel(["Fine."])], [self.voice]),
            Loudness(),
            stream=TwilioStream(two_way=two_way),
            send=self.sent.append,
            close=self._close,
            report=lambda _, report: self.reports.append(report),
            clock=LoopClock(),
            tape=self.tape.extend,
            **given,
        )
        self._frames = {"inbound": 0, "outbound": 0}

    def _close(self) -> None:
        self.closed += 1

    def start(self, *tracks: str) -> None:
        self.driver.on_text(messages.connected())
        self.driver.on_text(messages.start(STREAM, CALL, ACCOUNT, tracks=tracks or ("inbound",)))

    def frame(self, audio: bytes = mulaw.SILENCE * 160, track: str = "inbound") -> None:
        number = self._frames[track]
        self._frames[track] += 1
        self.driver.on_text(
            messages.media(STREAM, audio, sequence=number + 2, chunk=number + 1, timestamp=20 * number, track=track)
        )

    async def listen(self, sounds: dict[str, bytes]) -> None:
        """Sounds, frame by frame, in step with the time; all tracks at once."""
        length = max(map(len, sounds.values()))
        for at in range(0, length, 160):
            await asyncio.sleep(0.02)
            for track, sound in sounds.items():
                self.frame(sound[at : at + 160].ljust(160, mulaw.SILENCE), track)

    @property
    def ends(self) -> list[CallEnded]:
        return [report for report in self.reports if isinstance(report, CallEnded)]


async def quiet(line: Line, seconds: float) -> None:
    await line.listen({"inbound": mulaw.SILENCE * round(8_000 * seconds)})


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


# Tools, handlers and transfers


class Dispatcher:
    """A model that uses tools as soon as anybody has spoken, and then says what came of them."""

    speculative = True

    def __init__(self, *calls: ToolCall) -> None:
        self._calls = calls

    async def reply(self, conversation: Conversation) -> AsyncIterator[str | ToolCall]:
        returned = [message.text for message in conversation.messages if message.role is Role.TOOL]
        if returned:
            yield f"{', '.join(returned)}."
            return
        for call in self._calls:
            yield call

    async def ready(self) -> None: ...

    async def aclose(self) -> None: ...


def with_tools(*functions: Callable[..., Any]) -> dict[str, Any]:
    """A driver's toolbox and the configuration that tells a model of it."""
    agent = Agent(llm="scripted", greeting="Hello.", tools=list(functions))
    return {"config": agent.config(), "toolbox": Toolbox.of(agent)}


async def ask(line: Line) -> None:
    """The caller hears the greeting and says something."""
    line.start()
    await quiet(line, 2)
    await line.listen({"inbound": speech("book a room").mulaw})


def test_tools_are_used_side_by_side_and_reported() -> None:
    async def hold(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return f"held {seconds:g}"

    async def story() -> None:
        calls = [ToolCall("a", "hold", '{"seconds": 1}'), ToolCall("b", "hold", "{}"), ToolCall("c", "drop", "")]
        line = Line(**with_tools(hold), model=Dispatcher(*calls))
        await ask(line)
        await quiet(line, 6)
        await line.driver.finish()
        used = {
            (report.arguments, report.result): report.failed for report in line.reports if isinstance(report, ToolUsed)
        }
        assert used == {
            ('{"seconds": 1}', "held 1"): False,
            ("{}", "The tool was not used, its arguments do not fit: seconds: is missing"): True,
            ("", "There is no tool 'drop'. There are: hold."): True,
        }
        said = [report.text for report in line.reports if isinstance(report, AgentSaid)]
        assert any("held 1" in text for text in said), said

    world.run(story(), limit=60)


@pytest.mark.parametrize(("lasts", "booked"), [(2.5, True), (9, False)])
def test_a_tool_outlives_its_call_a_little(lasts: float, booked: bool) -> None:
    done: list[str] = []

    async def book() -> str:
        await asyncio.sleep(lasts)
        done.append("booked")
        return "booked"

    async def story() -> None:
        line = Line(**with_tools(book), model=Dispatcher(ToolCall("a", "book", "")))
        await ask(line)
        await quiet(line, 1.5)
        line.driver.on_closed("the caller hung up")
        await line.driver.finish()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    world.run(story(), limit=60)
    assert bool(done) is booked


def test_a_tool_holds_the_call() -> None:
    async def story() -> None:
        def leave(call: CallHandle) -> str:
            call.metadata["history"] = call.history
            call.hang_up("Goodbye then.")
            return call.id

        line = Line(**with_tools(leave), model=Dispatcher(ToolCall("a", "leave", "")))
        await ask(line)
        await quiet(line, 8)
        assert {"role": "user", "content": "book a room"} in line.driver.handle.metadata["history"]
        assert [report.result for report in line.reports if isinstance(report, ToolUsed)] == [CALL]
        assert line.driver.over
        await line.driver.finish()

    world.run(story(), limit=60)


def test_a_tool_gathers_digits() -> None:
    async def story() -> None:
        async def identify(call: CallHandle) -> str:
            return "it is " + await call.gather(4, "Please key in your number.", within=10)

        line = Line(**with_tools(identify), model=Dispatcher(ToolCall("a", "identify", "")))
        await ask(line)
        await quiet(line, 4)
        for index, digit in enumerate("4711"):
            line.driver.on_text(messages.dtmf(STREAM, digit, sequence=5_000 + index))
        await quiet(line, 2)
        assert [report.result for report in line.reports if isinstance(report, ToolUsed)] == ["it is 4711"]
        await line.driver.finish()

    world.run(story(), limit=60)


def test_a_tool_waits_for_a_transfer() -> None:
    async def story() -> None:
        async def connect(call: CallHandle) -> str:
            return await call.transfer("sip:desk@example.com", "I connect you.")

        def dial(to: str) -> None:
            asyncio.get_running_loop().call_later(1, line.driver.transfer_ended, f"{to} is busy")

        line = Line(**with_tools(connect), model=Dispatcher(ToolCall("a", "connect", "")), transfer=dial)
        await ask(line)
        await quiet(line, 8)
        assert [report.result for report in line.reports if isinstance(report, ToolUsed)] == [
            "sip:desk@example.com is busy"
        ]
        await line.driver.finish()

    world.run(story(), limit=60)


def test_handlers_hear_everything_even_the_end() -> None:
    async def story() -> None:
        heard: list[str] = []

        async def handler(call: CallHandle, event: Report) -> None:
            await asyncio.sleep(0.5)
            heard.append(f"{call.id} {type(event).__name__}")

        names = ("started", "user_said", "agent_said", "ended")
        line = Line(handlers={name: [handler] for name in names})
        await ask(line)
        await quiet(line, 4)
        await line.driver.finish()
        assert heard[0] == f"{CALL} CallStarted"
        assert {f"{CALL} UserSaid", f"{CALL} AgentSaid"} <= set(heard)
        assert heard[-1] == f"{CALL} CallEnded"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    world.run(story(), limit=60)


def test_a_carrier_that_cannot_transfer_says_so() -> None:
    async def story() -> None:
        line = Line()
        line.start()
        await quiet(line, 2)
        done = line.driver.handle.transfer("+493012345678")
        await quiet(line, 2)
        assert await done == "this carrier cannot transfer calls"
        assert not line.driver.over
        await line.driver.finish()

    world.run(story(), limit=60)


def test_a_call_goes_on_with_another_stream_after_a_transfer_that_failed() -> None:
    async def story() -> None:
        dialled: list[str] = []
        line = Line(transfer=dialled.append)
        line.start()
        await quiet(line, 2)
        done = line.driver.handle.transfer("+493012345678")
        await quiet(line, 2)
        assert dialled == ["+493012345678"]
        line.driver.on_text(messages.stop(STREAM, CALL, ACCOUNT, sequence=999))
        line.driver.on_closed("the socket closed")
        assert not line.driver.over
        line.driver.transfer_ended("nobody answered")
        assert await done == "nobody answered"
        first, second, closed = len(line.sent), list[str](), list[bool]()
        line.driver.attach(TwilioStream(two_way=True), second.append, lambda: closed.append(True))
        line._frames["inbound"] = 0
        line.start()
        await ask_again(line)
        assert len(line.sent) == first
        assert second
        assert "book a room" in [report.text for report in line.reports if isinstance(report, UserSaid)]
        await line.driver.finish()
        assert (line.closed, closed) == (0, [True])
        assert len(line.ends) == 1

    world.run(story(), limit=60)


async def ask_again(line: Line) -> None:
    await quiet(line, 5)
    await line.listen({"inbound": speech("book a room").mulaw})
    await quiet(line, 3)


def test_a_server_that_stops_lets_go_of_a_caller_who_is_elsewhere() -> None:
    async def story() -> None:
        line = Line(transfer=lambda _: None)
        line.start()
        await quiet(line, 2)
        line.driver.handle.transfer("+493012345678")
        await quiet(line, 2)
        line.driver.on_closed("the socket closed")
        assert not line.driver.over
        await line.driver.finish()
        assert line.driver.over
        assert asyncio.all_tasks() == {asyncio.current_task()}

    world.run(story(), limit=60)
