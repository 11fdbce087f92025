"""A phone with its carrier: what Twilio does for one call, on the wire side of a simulated caller.

It speaks first (`connected`, `start`), then sends a frame of sound at the end of every 20 ms, silence included, as a
phone does; it plays what it is sent through a `CarrierBuffer`, returns marks, and holds the server to the schema.
"""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import NamedTuple

from msgspec.structs import replace

from offhook.audio import mulaw
from offhook.carrier.commands import ClearAudio, Command, PlayAudio, SetMark
from offhook.carrier.twilio import messages
from offhook.errors import CarrierError
from offhook.simulator.acoustics import Microphone
from offhook.simulator.clock import LoopClock
from offhook.simulator.ledger import Ledger
from offhook.simulator.line import Leg, Line, Loss
from offhook.simulator.playout import CarrierBuffer, MarkReturned
from offhook.timebase import RATE, SAMPLE_US, Instant
from offhook.values import Value


class Identity(Value, frozen=True):
    """The ids by which Twilio names a call."""

    account_id: str
    call_id: str
    stream_id: str


def identity(random: Random) -> Identity:
    """Ids like Twilio's."""
    return Identity(*(f"{kind}{random.getrandbits(128):032x}" for kind in ("AC", "CA", "MZ")))


class Cleared(Value, frozen=True):
    """The server's `clear` arrived and threw away `flushed` samples."""

    at: Instant
    flushed: int


class Wire(NamedTuple):
    """How a phone reaches the server. Both return at once."""

    send: Callable[[str], None]
    close: Callable[[], None]


class Phone:
    """One call from `connected` to its end. Where the carrier takes the stream away and opens another one, the call
    goes on: what is said and heard keeps its place on the call's time line, while each stream counts from 0.

    `said` is what the caller said, `ear` what was played to the caller, `violations` what the server sent against the
    schema, `lateness` by how many microseconds each frame was late (all zero in virtual time). `changed` is called
    whenever what the ear will hear has changed, and when the call has ended; `held`: the caller is without a stream.
    """

    def __init__(self, wire: Wire, clock: LoopClock, line: Line, identity: Identity, frame: int = 160) -> None:
        self.identity = identity
        self.clock = clock
        self.said = Ledger()
        self.buffer = CarrierBuffer()
        self.violations: list[str] = []
        self.cleared: list[Cleared] = []
        self.marks: list[MarkReturned] = []
        self.lateness: list[int] = []
        self.ended_by = ""
        self.ended_at: Instant | None = None
        self.changed: Callable[[], None] = lambda: None
        self._wire = wire
        self._frame = frame
        self._up, self._down = Leg(line, "up"), Leg(line, "down")
        self._loss = Loss(line, frame * 1_000 / RATE)
        self._microphone = Microphone(line.gain_db, line.noise, line.echo, line.seed, self.buffer.ledger)
        self._position = self._stream_began = 0
        self.held = False
        self._chunk = self._sequence = 0
        self._frame_timer: asyncio.TimerHandle | None = None
        self._mark_timer: asyncio.TimerHandle | None = None

    @property
    def ear(self) -> Ledger:
        return self.buffer.ledger

    # The caller's side

    def pick_up(self, parameters: Mapping[str, str]) -> None:
        """The stream begins now."""
        ids = self.identity
        self._sequence = 1
        self._send(messages.connected())
        self._send(messages.start(ids.stream_id, ids.call_id, ids.account_id, parameters=parameters))
        self._frame_timer = self.clock.at(self._next_frame, self._tick)

    def say(self, audio: bytes) -> int:
        """Say it now, behind what is still being said; the position of its first sample."""
        start = max(-(-self.clock() // SAMPLE_US), self.said.end, self._position)
        self.said.append(start, audio)
        return start

    def sent_at(self, position: int) -> Instant:
        """When everything before a position will have been sent: at the end of its frame."""
        return Instant(-(-position // self._frame) * self._frame * SAMPLE_US)

    def press(self, digit: str) -> None:
        self._send(messages.dtmf(self.identity.stream_id, digit, sequence=self._number()))

    def hang_up(self, abruptly: bool = False) -> None:
        """Ends the call: `stop`, then the socket closes; `abruptly`: the socket closes."""
        if self.ended_at is not None:
            return
        if not self.held:
            self._send_frames(self.clock())
        if not (abruptly or self.held):
            ids = self.identity
            self._send(messages.stop(ids.stream_id, ids.call_id, ids.account_id, sequence=self._number()))
        self.clock.at(self._up.arrival(self.clock()), self._wire.close)
        self._end("caller")

    # The carrier's side

    def hold(self) -> "asyncio.Future[bool]":
        """The server closed the socket, and the carrier will see what comes next: nothing is sent or heard until
        `resume`. The result comes when the news has arrived: whether the caller is still there."""
        held: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.clock.at(self._down.arrival(self.clock()), self._hold, held)
        return held

    def resume(self, wire: Wire, stream_id: str, parameters: Mapping[str, str]) -> None:
        """The call goes on, on another stream."""
        self._wire, self.held, self._chunk = wire, False, 0
        self.identity = replace(self.identity, stream_id=stream_id)
        self._position = self._stream_began = -(-self.clock() // SAMPLE_US)
        self.pick_up(parameters)

    def end(self) -> None:
        """The carrier ends the call."""
        self._end("server")

    def _hold(self, held: "asyncio.Future[bool]") -> None:
        if self.ended_at is None:
            self.held = True
            self.buffer.stop(self.clock())
            self._stop_timers()
            self.changed()
        if not held.done():
            held.set_result(self.ended_at is None)

    # The server's side

    def on_text(self, text: str) -> None:
        """The server sent a text frame; it arrives when the line lets it."""
        self.clock.at(self._down.arrival(self.clock()), self._receive, text)

    def on_binary(self, size: int) -> None:
        """The server sent a binary frame, which Twilio cannot decode."""
        self.violations.append(f"31950: a binary frame of {size} bytes")

    def on_closed(self) -> None:
        """The server closed the socket."""
        self.clock.at(self._down.arrival(self.clock()), self._end, "server")

    def _receive(self, text: str) -> None:
        if self.ended_at is not None:
            return
        try:
            command = self._command(text)
        except CarrierError as error:
            self.violations.append(str(error))
            return
        now = self.clock()
        flushed = self.buffer.flushed
        self._return(self.buffer.receive(now, command))
        if isinstance(command, ClearAudio):
            self.cleared.append(Cleared(now, self.buffer.flushed - flushed))
        self._await_mark()
        self.changed()

    def _command(self, text: str) -> Command:
        message = messages.decode_command(text)
        if message.stream_sid != self.identity.stream_id:
            raise CarrierError(f"31951: streamSid {message.stream_sid} is not this call's {self.identity.stream_id}")
        match message:
            case messages.OutMedia():
                return PlayAudio(message.media.payload)
            case messages.OutMark():
                return SetMark(message.mark.name)
            case messages.OutClear():
                return ClearAudio()

    def _await_mark(self) -> None:
        if self._mark_timer is not None:
            self._mark_timer.cancel()
        due = self.buffer.due
        self._mark_timer = None if due is None else self.clock.at(due, self._marks_due)

    def _marks_due(self) -> None:
        self._mark_timer = None
        self._return(self.buffer.advance(self.clock()))
        self._await_mark()

    def _return(self, marks: list[MarkReturned]) -> None:
        for mark in marks:
            self.marks.append(mark)
            self._send(messages.mark(self.identity.stream_id, mark.name, sequence=self._number()))

    # Frames

    @property
    def _next_frame(self) -> Instant:
        return Instant((self._position + self._frame) * SAMPLE_US)

    def _tick(self) -> None:
        now = self.clock()
        self.lateness.append(max(0, now - self._next_frame))
        self._send_frames(now)
        self._frame_timer = self.clock.at(self._next_frame, self._tick)

    def _send_frames(self, now: Instant) -> None:
        """Every frame that is over by now. After a pause of the machine that may be more than one."""
        while self._next_frame <= now:
            position, self._position = self._position, self._position + self._frame
            sound = self._microphone.hear(position, self._mouth(position))
            if not self._loss.next():
                self._chunk += 1
                self._send(
                    messages.media(
                        self.identity.stream_id,
                        sound,
                        sequence=self._number(),
                        chunk=self._chunk,
                        timestamp=(position - self._stream_began) * 1_000 // RATE,
                    )
                )

    def _mouth(self, position: int) -> bytes:
        if self.said.end <= position:
            return mulaw.SILENCE * self._frame
        return self.said.between(position, position + self._frame)

    # The wire

    def _number(self) -> int:
        self._sequence += 1
        return self._sequence

    def _send(self, text: str) -> None:
        self.clock.at(self._up.arrival(self.clock()), self._wire.send, text)

    def _end(self, by: str) -> None:
        if self.ended_at is not None:
            return
        now = self.clock()
        self.ended_at, self.ended_by = now, by
        self.buffer.stop(now)
        self.said.cut(self._position)
        self._stop_timers()
        self.changed()

    def _stop_timers(self) -> None:
        for timer in (self._frame_timer, self._mark_timer):
            if timer is not None:
                timer.cancel()
