"""What a call sounded like: both sides of a tape as two tracks of equal length on one time line."""

from offhook.audio import wav
from offhook.audio.ring import CallerAudio
from offhook.call.replay import play
from offhook.call.tape import Tape
from offhook.carrier.commands import ClearAudio, PlayAudio
from offhook.carrier.events import AudioReceived, Track
from offhook.timebase import Duration, Instant, samples


def stereo(tape: Tape) -> bytes:
    """A WAV file: the caller on the left, the agent on the right."""
    return wav.write_tracks(*tracks(tape))


def tracks(tape: Tape) -> tuple[bytes, bytes]:
    """The caller and the agent as mu-law at 8 kHz. The agent's track is what a carrier with an empty line would have
    played of what it was sent.
    """
    caller, agent = CallerAudio(), _Agent()
    shift: int | None = None
    for step in play(tape):
        if isinstance(step.input, AudioReceived) and step.input.track is Track.INBOUND:
            if shift is None:
                # What came in with the first message was spoken before it arrived.
                shift = max(0, _at(step.now) - len(step.input.mulaw)) - step.input.position
            caller.write(step.input.position + shift, step.input.mulaw)
        for output in step.outputs:
            match output:
                case PlayAudio(audio):
                    agent.play(_at(step.now), audio)
                case ClearAudio():
                    agent.clear(_at(step.now))
                case _:
                    pass
    length = max(caller.end, agent.end)
    return caller.slice(0, length), agent.slice(length)


class _Agent:
    def __init__(self) -> None:
        self._pieces: list[tuple[int, bytes]] = []
        self.end = 0

    def play(self, at: int, audio: bytes) -> None:
        begin = max(at, self.end)
        self._pieces.append((begin, audio))
        self.end = begin + len(audio)

    def clear(self, at: int) -> None:
        self._pieces = [(begin, audio[: max(0, at - begin)]) for begin, audio in self._pieces if begin < at]
        self.end = min(self.end, at)

    def slice(self, length: int) -> bytes:
        track = CallerAudio()
        for begin, audio in self._pieces:
            track.write(begin, audio)
        return track.slice(0, length)


def _at(now: Instant) -> int:
    return samples(Duration(now))
