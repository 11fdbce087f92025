"""One call: `handle(now, input)` returns what has to be done, `deadline` says when to wake it. No clock, no await, no
log, no randomness.
"""

from typing import NamedTuple, assert_never

from offhook.audio.events import Evidence
from offhook.audio.playout import Fate
from offhook.call.captions import Captions
from offhook.call.config import CallConfig
from offhook.call.dialogue import Dialogue
from offhook.call.inputs import (
    DeadlinePassed,
    HangUpOrdered,
    Input,
    ReplyFinished,
    ReplyText,
    RequestFailed,
    SayOrdered,
    TranscriptArrived,
    VoiceAudio,
    VoiceFinished,
)
from offhook.call.minds import FlowMind, ModelMind
from offhook.call.outputs import CallEnded, CallStarted, Cancel, HangUp, Output, Warned
from offhook.call.requests import Requests, Stage
from offhook.carrier.events import (
    AudioReceived,
    DigitPressed,
    MarkReached,
    ProtocolBroken,
    StreamStarted,
    StreamStopped,
    Track,
    Unrecognised,
)
from offhook.conversation.history import History
from offhook.conversation.messages import Role
from offhook.errors import Failure
from offhook.timebase import Instant, after

_NO_OUTPUTS: tuple[Output, ...] = ()


class Deadline(NamedTuple):
    """When a call wants to be woken, and why."""

    at: Instant
    reason: str


def _sooner(soonest: Deadline, at: Instant | None, reason: str) -> Deadline:
    return soonest if at is None or at >= soonest.at else Deadline(at, reason)


class Call:
    """A call from its first message to its last. After `CallEnded` it answers every input with nothing."""

    def __init__(self, config: CallConfig) -> None:
        self.history = History(config.instructions)
        self.dialogue: Dialogue | None = None
        self.over = False
        self._config = config
        self._mind = FlowMind(config.flow) if config.flow is not None else ModelMind(config, self.history)
        self._requests = Requests()
        self._captions: Captions | None = None
        self._out: list[Output] = []
        self._warned: set[str] = set()
        self._started_at: Instant | None = None
        self._media_at = Instant(0)
        self._stalled = False
        self._time_is_up = False

    @property
    def deadline(self) -> Deadline | None:
        """The soonest of all waits. None before the stream starts and after the call has ended."""
        if self._started_at is None or self.over:
            return None
        limits = self._config.limits
        if self._stalled:
            soonest = Deadline(after(self._media_at, limits.no_media), "no media")
        else:
            soonest = Deadline(after(self._media_at, limits.stall), "line stalled")
        soonest = _sooner(soonest, self._requests.deadline, "provider")
        if self.dialogue is not None:
            soonest = _sooner(soonest, self.dialogue.deadline, "turn")
            if not self._time_is_up:
                soonest = _sooner(soonest, after(self._started_at, limits.longest_call), "longest call")
        return soonest

    def handle(self, now: Instant, event: Input) -> tuple[Output, ...]:
        """Take one input and return everything that has to be done about it, in order."""
        if self.over:
            return _NO_OUTPUTS
        match event:
            case AudioReceived():
                self._audio(now, event)
            case Evidence():
                if self.dialogue is not None:
                    self.dialogue.hear(now, event)
                elif self._captions is not None:
                    self._captions.hear(now, event)
            case StreamStarted():
                self._start(now, event)
            case StreamStopped(reason):
                self._end(now, reason)
            case DigitPressed(digit):
                if self.dialogue is not None:
                    self.dialogue.pressed(now, digit)
            case MarkReached(name):
                if self.dialogue is not None and self.dialogue.reached(now, name) is Fate.UNKNOWN:
                    self._warn(
                        "unknown mark", f"the carrier returned a mark that was never set, or twice: {name[:80]!r}"
                    )
            case Unrecognised(kind):
                self._warn(
                    f"unrecognised {kind}", f"the carrier sent an event that this version does not know: {kind!r}"
                )
            case ProtocolBroken(kind, words):
                self._warn(kind, words)
            case SayOrdered() | HangUpOrdered():
                if self.dialogue is not None:
                    self.dialogue.ordered(now, event)
            case DeadlinePassed():
                self._tick(now)
            case TranscriptArrived() | ReplyText() | ReplyFinished() | VoiceAudio() | VoiceFinished() | RequestFailed():
                self._result(now, event)
            case _:
                assert_never(event)
        return self._taken(now)

    def _taken(self, now: Instant) -> tuple[Output, ...]:
        if not self._out:
            return _NO_OUTPUTS
        if self.dialogue is not None and self.dialogue.hung_up and not self.over:
            hang_up = next(output for output in self._out if isinstance(output, HangUp))
            self._end(now, hang_up.reason)
        outputs = tuple(self._out)
        self._out.clear()
        return outputs

    def _audio(self, now: Instant, event: AudioReceived) -> None:
        self._media_at = now
        if self.dialogue is None:
            return
        if event.track is Track.INBOUND:
            self.dialogue.received(now, event.position + len(event.mulaw))
        if self._stalled:
            self._stalled = False
            self.dialogue.line(now, stalled=False)

    def _start(self, now: Instant, event: StreamStarted) -> None:
        assert self._started_at is None, "a stream starts once: its carrier sees to that"
        self._started_at = self._media_at = now
        self._out.append(CallStarted(event.call_id, event.stream_id, event.two_way, event.parameters))
        if event.two_way:
            self.dialogue = Dialogue(self._config, self._mind, self.history, self._requests, self._out)
            self.dialogue.begin(now)
        else:
            self._captions = Captions(event.tracks, self._config, self._requests, self._out)

    def _end(self, now: Instant, reason: str) -> None:
        """Whatever the reason, the end is the same, and comes once."""
        self.over = True
        if self.dialogue is not None:
            self.dialogue.leave(now)
        for request in self._requests.numbers:
            self._requests.close(request)
            self._out.append(Cancel(request))
        heard, said = self.history.count(Role.USER), self.history.count(Role.ASSISTANT)
        self._out.append(CallEnded(reason, heard, said))

    def _tick(self, now: Instant) -> None:
        assert self._started_at is not None
        limits = self._config.limits
        if now >= after(self._media_at, limits.no_media):
            reason = f"no audio came for {limits.no_media // 1_000_000} s"
            self._out.append(HangUp(reason))
            self._end(now, reason)
            return
        if not self._stalled and now >= after(self._media_at, limits.stall):
            self._stalled = True
            if self.dialogue is not None:
                self.dialogue.line(now, stalled=True)
        while (overdue := self._requests.overdue(now)) is not None:
            number, stage = overdue
            self._out.append(Cancel(number))
            self._failed(now, number, stage, Failure.TIMEOUT, f"no answer in time for {stage.value}")
        if self.dialogue is None:
            return
        if not self._time_is_up and now >= after(self._started_at, limits.longest_call):
            self._time_is_up = True
            self.dialogue.end_politely(now, self._config.phrases.time_is_up, "longest call")
        self.dialogue.tick(now)

    def _result(
        self,
        now: Instant,
        event: TranscriptArrived | ReplyText | ReplyFinished | VoiceAudio | VoiceFinished | RequestFailed,
    ) -> None:
        """Something came of a request. What comes of one that is no longer open is dropped here, by its number."""
        stage = self._requests.stage(event.request)
        if stage is None:
            return
        if isinstance(event, RequestFailed):
            self._failed(now, event.request, stage, event.kind, event.words)
        elif isinstance(event, TranscriptArrived):
            if self.dialogue is not None:
                self.dialogue.transcribed(now, event)
            elif self._captions is not None:
                self._captions.transcribed(now, event)
        elif self.dialogue is not None:
            self.dialogue.produced(now, event)

    def _failed(self, now: Instant, request: int, stage: Stage, kind: Failure, words: str) -> None:
        self._warn(f"{stage.value} {kind.value}", f"{stage.value} failed: {words}")
        if self.dialogue is not None:
            self.dialogue.failed(now, request, stage)
        elif self._captions is not None:
            self._captions.failed(request)

    def _warn(self, kind: str, words: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            self._out.append(Warned(kind, words))
