"""Asks an end-of-turn model about the pause that lasts, where a call has one. What it says may shorten a wait, and
never lengthens or ends one (`waits`).
"""

from offhook.call.config import CallConfig
from offhook.call.listening import Listener, Turn
from offhook.call.outputs import Cancel, JudgeTurn, Output
from offhook.call.requests import Requests, Stage
from offhook.timebase import Instant, samples, seconds

LISTENS = samples(seconds(8))
"""Samples of the end of a turn, all that such models listen to."""


class Endpointer:
    """One caller's. At most one question is open; it is dropped when the pause is over."""

    def __init__(self, config: CallConfig, requests: Requests, out: list[Output]) -> None:
        self._config = config
        self._requests = requests
        self._out = out
        self._request: int | None = None

    def ask(self, now: Instant, turn: Turn, listener: Listener) -> None:
        """Whether the turn is over that has just paused. An answer that takes as long as `Patience.pause` comes too
        late to shorten anything."""
        self.forget()
        if self._config.end_of_turn:
            start = max(listener.since(turn.start), listener.heard - LISTENS)
            self._request = self._requests.open(now, Stage.JUDGEMENT, self._config.patience.pause)
            self._out.append(JudgeTurn(self._request, listener.track, start, listener.heard))

    def answered(self) -> None:
        """The answer is here, or will never come."""
        assert self._request is not None
        self._requests.close(self._request)
        self._request = None

    def forget(self) -> None:
        """Whatever the answer, it is of no use any more."""
        if self._request is not None and self._requests.close(self._request):
            self._out.append(Cancel(self._request))
        self._request = None
