"""Stories of a transcriber that listens while the caller speaks."""

from functools import partial
from typing import Any

import pytest
from kit import agent, asked, call, speech, tell, turn
from streams import ScriptedListener, heard

from offhook.audio.events import Evidence
from offhook.call.inputs import Input, TranscriptArrived
from offhook.call.outputs import Cancel, Output, Transcribe
from offhook.call.tape import read
from offhook.carrier.events import AudioReceived
from offhook.conversation.messages import Role
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import StreamingTranscriber, Utterance
from offhook.providers.scripted import ScriptedModel
from offhook.runtime.driver import Driver
from offhook.runtime.failover import Chain
from offhook.runtime.streaming import CallEar
from offhook.simulator import rehearsal
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import Instant, ms, samples


class ListeningDriver(Driver):
    """A driver with a `CallEar`, which listens whenever speech starts."""

    def __init__(self, config: Any, services: Any, *given: Any, **named: Any) -> None:
        super().__init__(config, services, *given, **named)
        self._config, self._chain = config, Chain("transcription", services.transcribers)
        self._streaming = next(each for each in self._chain if isinstance(each, StreamingTranscriber))
        self._call_ear = CallEar(self._streaming, config.language, self._input)
        self._call_ear.open()
        self._speaking, self._listens = False, 0

    def _hear(self, event: AudioReceived) -> None:
        super()._hear(event)
        self._call_ear.heard()

    def _step(self, now: Instant, event: Input) -> None:
        super()._step(now, event)
        if not isinstance(event, Evidence) or self.call.dialogue is None:
            return
        attention = self.call.dialogue._floor.attention
        spoke, self._speaking = self._speaking, attention.listener._detector.speaking
        if self._speaking and not spoke and attention.turn is not None:
            self._listens -= 1
            pre_roll = samples(self._config.pre_roll)
            start = max(0, attention.turn.start - pre_roll)
            since = max(0, event.position - 256 - pre_roll)
            self._call_ear.listen(self._tracks["inbound"], self._listens, start, since)

    def _carry_out(self, now: Instant, output: Output) -> None:
        if isinstance(output, Cancel):
            self._call_ear.cancel(output.request)
        if isinstance(output, Transcribe) and (way := self._call_ear.transcribe(output.start, output.end)) is not None:
            audio = self._tracks[output.track].slice(output.start, output.end)
            utterance = Utterance(audio, output.expectation, self._config.language)
            self._performer._run(output.request, partial(self._streamed, output.request, way, utterance))
        else:
            super()._carry_out(now, output)

    async def _streamed(self, request: int, way: Any, utterance: Utterance) -> None:
        def ask(provider: Any) -> Any:
            return way() if provider is self._streaming else provider.transcribe(utterance)

        async for each in self._chain.ask(ask, self._config.limits.another):
            self._input(TranscriptArrived(request, each.text, each.final, each.understood))

    async def finish(self) -> None:
        await super().finish()
        await self._call_ear.aclose()


@pytest.fixture(autouse=True)
def listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "Driver", ListeningDriver)


def partials(told: Rehearsal) -> list[tuple[int, str]]:
    """What the call was told while the caller spoke."""
    return [
        (step.now, step.input.text)
        for step in read(bytes(told.tape)).steps
        if isinstance(step.input, TranscriptArrived) and step.input.request < 0
    ]


async def asks(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room today please"))
    await caller.listen_until_quiet(0.8)


def test_words_reach_the_call_before_the_caller_has_spoken_them_all() -> None:
    ears = ScriptedListener(lag=0.25)
    told = tell(agent("Fine.", stt=ears), asks)
    assert told.user_said == ["book a room today please"]
    assert ears.uploads == []
    (stream,) = ears.streams
    assert stream.closed
    (said,) = call(told).said
    assert [text for now, text in partials(told) if now < said.end] == [
        "book",
        "book a",
        "book a room",
        "book a room today",
    ]


def test_a_turn_with_pauses_is_sent_once_and_used_whole() -> None:
    ears = ScriptedListener()
    mind = ScriptedModel(["Fine."])

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(0.35)
        await caller.say(speech("today"))
        await caller.pause(0.5)
        await caller.say(speech("please"))
        await caller.listen_until_quiet(0.8)

    told = tell(agent(stt=ears, llm=mind), script)
    assert told.user_said == ["book a room today please"]
    assert [message.text for message in asked(mind)[-1] if message.role is Role.USER] == ["book a room today please"]
    assert [heard(audio).text for audio in ears.streams[0].committed] == ["book a room", "today", "please"]


def test_what_is_said_over_the_agent_is_streamed_too() -> None:
    ears = ScriptedListener()

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.agent_speaks()
        await caller.pause(0.6)
        await caller.say(speech("stop please"))
        await caller.listen_until_quiet(0.8)

    told = tell(agent("We have many rooms for you and all of them are free.", "Fine.", stt=ears), script)
    assert told.user_said == ["book a room", "stop please"]
    assert ears.uploads == []


def test_another_transcriber_takes_over_where_no_session_can_be_had() -> None:
    ears = ScriptedListener(fails=ProviderError(Failure.UNREACHABLE, "no session"))
    other = ScriptedListener()
    told = tell(agent("Fine.", stt=[ears, other]), asks)
    assert told.user_said == ["book a room today please"]
    assert ears.uploads == []
    assert [heard(each.mulaw).text for each in other.uploads] == ["book a room today please"]


def test_silence_is_not_sent() -> None:
    ears = ScriptedListener()

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(5)

    tell(agent("Fine.", stt=ears), script)
    assert sum(ears.streams[0].appended) < len(speech("book a room today please").mulaw) + 8_000


def test_the_reply_comes_no_later_than_from_an_upload() -> None:
    streamed = turn(tell(agent("Fine.", stt=ScriptedListener(delay=0.2)), asks), "book a room today please")
    assert streamed.response_delay is not None
    assert streamed.response_delay < ms(900)
