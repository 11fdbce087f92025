"""Listening only: a one-way stream. Each track has an ear and a position of its own, and all that is said becomes
text: utterance by utterance, or in segments of equal length.
"""

from offhook.audio.events import CHUNK, Evidence, SpeechStarted
from offhook.call.config import CallConfig
from offhook.call.inputs import TranscriptArrived
from offhook.call.listening import Listener, Turn
from offhook.call.outputs import Output, Transcribe, UserSaid
from offhook.call.requests import Requests, Stage
from offhook.conversation.expectation import ANYTHING
from offhook.timebase import Duration, Instant, lasting, samples

BY_PAUSES = Duration(0)
"""The length of a segment that is as long as what is said without a pause."""


class _Ear:
    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.turn: Turn | None = None
        self.speaking = False
        self.asked: list[Turn] = []
        self.begins = 0
        """The first sound of the segment."""
        self.done = 0
        """The sample up to which speech has been dealt with: none is transcribed twice."""


class Captions:
    """What is said on each track of a call that we may only listen to.

    A segment ends with a pause, or after `segment` counted from its first sound, in the middle of a word if need be.
    What follows the cut begins there to the sample. Silence is never transcribed.
    """

    def __init__(
        self,
        tracks: tuple[str, ...],
        config: CallConfig,
        requests: Requests,
        out: list[Output],
        segment: Duration = BY_PAUSES,
    ) -> None:
        self._ears = {track: _Ear(Listener(track, config, requests, out)) for track in tracks}
        self._config = config
        self._requests = requests
        self._out = out
        self._segment = samples(segment)
        self._tail = config.hysteresis.stop_chunks * CHUNK
        """What is known to be silence when speech has stopped, and may hold a last sound that is soft."""

    def hear(self, now: Instant, evidence: Evidence) -> None:
        """What 32 ms of one track sound like."""
        ear = self._ears.get(evidence.track)
        if ear is None:
            return
        match ear.listener.hear(evidence):
            case None:
                pass
            case SpeechStarted(position):
                ear.speaking = True
                if ear.turn is None:
                    ear.begins = max(ear.done, position)
                    ear.turn = Turn(max(ear.done, ear.listener.since(position)), position)
            case stopped:
                self._stopped(ear, stopped.position)
        turn = ear.turn
        if turn is None:
            return
        full = self._segment and ear.listener.heard - ear.begins >= self._segment
        if ear.speaking and full:
            cut = ear.begins + self._segment
            self._ask(now, ear, turn, cut)
            ear.begins = ear.done = cut
            ear.turn = Turn(cut, cut)
        elif not ear.speaking and (full or lasting(ear.listener.silence) >= self._config.patience.caption):
            self._ask(now, ear, turn, turn.end + self._tail)
            ear.done, ear.turn = turn.end, None

    def transcribed(self, now: Instant, transcript: TranscriptArrived) -> None:
        """What a segment says. Segments are reported in the order in which they were said."""
        if not transcript.final:
            self._requests.alive(now, transcript.request, self._config.limits.transcript)
            return
        for ear, turn in self._waiting(transcript.request):
            ear.listener.settle(now, turn, transcript.text, understood=transcript.understood)
            self._report(ear)

    def failed(self, request: int) -> None:
        """A segment could not be transcribed."""
        for ear, turn in self._waiting(request):
            ear.listener.fail(turn)
            self._report(ear)

    def _stopped(self, ear: _Ear, position: int) -> None:
        """Speech ended at `position`. Behind a cut there may have been none at all."""
        assert ear.turn is not None
        ear.speaking, ear.turn.end = False, position
        if position <= ear.turn.start:
            ear.turn = None

    def _ask(self, now: Instant, ear: _Ear, turn: Turn, end: int) -> None:
        """Have a segment transcribed."""
        turn.request = self._requests.open(now, Stage.TRANSCRIPT, self._config.limits.transcript)
        self._out.append(Transcribe(turn.request, ear.listener.track, turn.start, end, ANYTHING))
        ear.asked.append(turn)

    def _waiting(self, request: int) -> list[tuple[_Ear, Turn]]:
        return [(ear, turn) for ear in self._ears.values() for turn in ear.asked if turn.request == request]

    def _report(self, ear: _Ear) -> None:
        while ear.asked and (ear.asked[0].known or ear.asked[0].failed):
            turn = ear.asked.pop(0)
            if turn.text:
                self._out.append(UserSaid(turn.text, ear.listener.track))
