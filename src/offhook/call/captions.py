"""Listening only: a one-way stream. Each track has an ear and a position of its own, and every utterance becomes
text.
"""

from offhook.audio.events import Evidence, SpeechStarted
from offhook.call.config import CallConfig
from offhook.call.inputs import TranscriptArrived
from offhook.call.listening import Listener, Turn
from offhook.call.outputs import Output, UserSaid
from offhook.call.requests import Requests
from offhook.conversation.expectation import Expectation
from offhook.timebase import Instant, lasting


class _Ear:
    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.turn: Turn | None = None
        self.speaking = False
        self.asked: list[Turn] = []


class Captions:
    """What is said on each track of a call that we may only listen to."""

    def __init__(self, tracks: tuple[str, ...], config: CallConfig, requests: Requests, out: list[Output]) -> None:
        self._ears = {track: _Ear(Listener(track, config, requests, out)) for track in tracks}
        self._config = config
        self._out = out

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
                ear.turn = ear.turn or Turn(position, position)
            case stopped:
                assert ear.turn is not None
                ear.speaking, ear.turn.end = False, stopped.position
        turn = ear.turn
        if turn is None or ear.speaking:
            return
        if lasting(ear.listener.silence) >= self._config.patience.pause:
            ear.turn = None
            ear.asked.append(turn)
            ear.listener.ask(now, turn, Expectation())

    def transcribed(self, now: Instant, transcript: TranscriptArrived) -> None:
        """What an utterance says. Utterances are reported in the order in which they were said."""
        if not transcript.final:
            return
        for ear, turn in self._waiting(transcript.request):
            ear.listener.settle(now, turn, transcript.text, understood=transcript.understood)
            self._report(ear)

    def failed(self, request: int) -> None:
        """An utterance could not be transcribed."""
        for ear, turn in self._waiting(request):
            ear.listener.fail(turn)
            self._report(ear)

    def _waiting(self, request: int) -> list[tuple[_Ear, Turn]]:
        return [(ear, turn) for ear in self._ears.values() for turn in ear.asked if turn.request == request]

    def _report(self, ear: _Ear) -> None:
        while ear.asked and (ear.asked[0].known or ear.asked[0].failed):
            turn = ear.asked.pop(0)
            if turn.text:
                self._out.append(UserSaid(turn.text, ear.listener.track))
