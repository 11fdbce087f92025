"""One caller of a load test: sends a frame each 20 ms, speaks by the profile, and notes what comes back.

The carrier's buffer is an instant, `plays_until`, and the marks that lie before it; they come back with the frame
that follows, so up to 20 ms late.
"""

from binascii import b2a_base64
from collections import deque
from collections.abc import Callable

from offhook.carrier.twilio import messages
from offhook.errors import CarrierError
from offhook.simulator.load.profile import GRID, Profile, Tally
from offhook.simulator.phone import Identity
from offhook.timebase import Instant, lasting, samples

FRAME = 160
_SAME_REPLY = 1_000_000
"""Microseconds. After a longer silence of the server, what it plays next is something else that it says."""


class Sounds:
    """A profile's audio as the base64 of its frames, made once for all callers."""

    def __init__(self, profile: Profile) -> None:
        speech = profile.speech + profile.noise[: -len(profile.speech) % FRAME]
        self.speech = [_base64(speech[at : at + FRAME]) for at in range(0, len(speech), FRAME)]
        self.noise = [_base64(profile.noise[at : at + FRAME]) for at in range(0, len(profile.noise), FRAME)]


class LoadCaller:
    """Begins to speak at the first point of the grid from sample `first` on at which the server is silent. `cycles` of
    the profile count as over by then: so not all callers break in at once."""

    def __init__(
        self,
        profile: Profile,
        sounds: Sounds,
        ids: Identity,
        tally: Tally,
        send: Callable[[bytes], None],
        first: int,
        cycles: int = 0,
    ) -> None:
        self._profile = profile
        self._sounds = sounds
        self._tally = tally
        self._send = send
        self._stream_id = ids.stream_id
        self._position = 0
        """The sample that is sent next."""
        self._at: int | None = None
        """The frame of the speech that is sent next; None: silent."""
        self._next = first
        self._cycles = cycles
        self._waiting = self._barging = False
        """… for the reply; … in: speaking although the server does."""
        self._began = self._said = Instant(0)
        """When the utterance began, and when its last sound was sent."""
        self._plays_until = Instant(0)
        self._replying = False
        self._marks: deque[tuple[int, str]] = deque()

    def tick(self, now: Instant) -> None:
        """The end of a frame has come: send it, and the marks that are due."""
        if self._at is None and self._position >= self._next and self._position % GRID == 0:
            self._maybe_speak(now)
        payload = self._sounds.noise[self._position // FRAME % len(self._sounds.noise)]
        if self._at is not None:
            payload = self._sounds.speech[self._at]
            self._at += 1
            if self._at == len(self._sounds.speech):
                self._at, self._said, self._waiting = None, now, True
        number = self._position // FRAME + 1
        self._position += FRAME
        self._send(
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
            b'"payload":"%b"},"streamSid":"%b"}'
            % (number + 1, number, (number - 1) * 20, payload, self._stream_id.encode())
        )
        self._tally.sent += 1
        while self._marks and self._marks[0][0] <= now:
            self._return_mark()

    def _maybe_speak(self, now: Instant) -> None:
        if self._plays_until > now and not self._barging:
            return
        if self._waiting:
            self._tally.unanswered += 1
        self._at, self._waiting, self._replying = 0, False, False
        self._began = Instant(now - lasting(FRAME))  # its first frame leaves when that is over
        self._next = self._position + samples(self._profile.cycle)
        self._cycles += 1

    def on_text(self, now: Instant, text: bytes) -> None:
        """The server sent a text frame."""
        self._tally.received += 1
        try:
            command = messages.decode_command(text.decode())
        except CarrierError as error:
            self._tally.problems.append(str(error))
            return
        match command:
            case messages.OutMedia():
                self._hear(now, len(command.media.payload))
            case messages.OutMark():
                self._marks.append((max(now, self._plays_until), command.mark.name))
            case messages.OutClear():
                self._clear(now)

    def _hear(self, now: Instant, count: int) -> None:
        if self._waiting:
            self._tally.delays.append(now - self._said)
            self._waiting, self._replying = False, True
            every = self._profile.barge_in_every
            self._barging = bool(every) and self._cycles % every == 0
            if self._barging:
                self._next = self._position + samples(self._profile.barge_in_after)
        elif self._at is not None and not self._barging:
            self._tally.early += 1
        elif self._replying and 0 < now - self._plays_until < _SAME_REPLY:
            self._tally.underruns += 1
        self._plays_until = Instant(max(now, self._plays_until) + lasting(count))

    def _clear(self, now: Instant) -> None:
        if self._barging and self._at is not None:
            self._tally.clears.append(now - self._began)
            self._barging = False
        self._plays_until, self._replying = now, False
        while self._marks:
            self._return_mark()

    def _return_mark(self) -> None:
        _, name = self._marks.popleft()
        self._send(messages.mark(self._stream_id, name, sequence=self._position // FRAME + 1).encode())


def _base64(sound: bytes) -> bytes:
    return b2a_base64(sound, newline=False)
