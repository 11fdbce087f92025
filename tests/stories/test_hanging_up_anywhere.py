"""A caller who hangs up at any moment of a rich conversation leaves nothing behind."""

import asyncio
from copy import deepcopy

import pytest
from kit import agent, ears, orders, rich, tell

from offhook.audio.events import Evidence
from offhook.call.call import Call
from offhook.call.inputs import ReplyFinished, RequestFailed, SayOrdered, TranscriptArrived, VoiceFinished
from offhook.call.outputs import AskModel, CallEnded, Cancel, Output, Synthesize, Transcribe
from offhook.call.tape import Tape, read
from offhook.carrier.events import AudioReceived, StreamStopped
from offhook.providers.scripted import ScriptedModel
from offhook.simulator.caller import SimulatedCaller
from offhook.timebase import Instant
from offhook.turns.table import Agent, Caller

REPLY = "We have a large room with a window, and a small room without one. Which of them do you want?"
LENGTH = 17.0


def hung_up(at: float, abruptly: bool = False) -> Tape:
    """The tape of that conversation, if the caller hangs up so many seconds after its beginning."""

    async def script(caller: SimulatedCaller) -> None:
        talking = asyncio.ensure_future(rich(caller))
        await caller.pause(at)
        talking.cancel()
        await caller.hang_up(abruptly)

    told = tell(
        agent(llm=ScriptedModel([REPLY]), greeting="Hello and welcome.", stt=ears(partials_every=0.1)),
        script,
        on_driver=orders((6.0, SayOrdered("By the way, it is late."))),
    )
    return read(bytes(told.tape))


class Requests:
    """Which requests are open, by what a call puts out and takes in."""

    def __init__(self) -> None:
        self.open: set[int] = set()

    def took(self, event: object) -> None:
        if isinstance(event, ReplyFinished | VoiceFinished | RequestFailed) or (
            isinstance(event, TranscriptArrived) and event.final
        ):
            self.open.discard(event.request)

    def gave(self, outputs: tuple[Output, ...]) -> None:
        for output in outputs:
            if isinstance(output, Transcribe | AskModel | Synthesize):
                self.open.add(output.request)
            elif isinstance(output, Cancel):
                assert output.request in self.open, "cancelled twice, or never asked for"
                self.open.discard(output.request)


def test_a_call_may_end_after_each_of_its_inputs() -> None:
    """Over the state machine itself: at every step of the conversation the line is cut."""
    tape = hung_up(LENGTH)
    call, requests = Call(tape.header.config), Requests()
    states: set[tuple[Caller, Agent]] = set()
    waiting = 0
    for number, step in enumerate(tape.steps):
        if call.over:
            break
        if not isinstance(step.input, AudioReceived | Evidence) or number % 8 == 0:
            ends(deepcopy(call), deepcopy(requests), Instant(step.now))
            waiting += bool(requests.open)
        requests.took(step.input)
        requests.gave(call.handle(Instant(step.now), step.input))
        if call.dialogue is not None:
            states.add(call.dialogue.states)
    assert waiting > 20
    assert {agent for _, agent in states} >= {Agent.LISTENING, Agent.THINKING, Agent.SPEAKING, Agent.HOLDING}
    assert {caller for caller, _ in states} >= set(Caller)


def ends(call: Call, requests: Requests, now: Instant) -> None:
    outputs = call.handle(now, StreamStopped("cut"))
    requests.gave(outputs)
    assert requests.open == set()
    assert isinstance(outputs[-1], CallEnded)
    assert sum(isinstance(output, CallEnded) for output in outputs) == 1
    assert call.deadline is None
    assert call.handle(now, StreamStopped("again")) == ()


@pytest.mark.parametrize("abruptly", [False, True])
def test_a_caller_may_hang_up_at_any_moment(abruptly: bool) -> None:
    """Over the driver: no task, no request and no socket is left (`tell` sees to that)."""
    for step in range(24):
        tape = hung_up(step * 0.71 + 0.007, abruptly)
        reasons = [step.input.reason for step in tape.steps if isinstance(step.input, StreamStopped)]
        assert reasons[0] == ("the carrier closed the socket" if abruptly else "stop")
