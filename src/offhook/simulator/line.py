"""The line between a caller and a server, seeded: delay, jitter, loss, and what the caller's sound picks up.

Sound goes from the phone to the carrier (gain, noise, echo, loss), and messages go between carrier and server
(delay, jitter). A WebSocket is one TCP stream: what is late holds up what comes after it, and nothing is lost there;
a frame that the phone network loses is never sent, and the timestamps jump over it.
"""

from random import Random

from offhook.simulator.acoustics import Echo, Noise
from offhook.timebase import Duration, Instant, ms
from offhook.values import Value


class Line(Value, frozen=True):
    """What lies between. The default is a line without fault or delay."""

    delay_ms: float = 0.0
    """One way between carrier and server, in each direction."""
    jitter_ms: float = 0.0
    """The greatest additional delay of a message, drawn evenly."""
    loss: float = 0.0
    """The share of the caller's frames that is lost (0 to 1)."""
    burst_ms: float = 100.0
    """How long a loss lasts on average."""
    gain_db: float = 0.0
    """What is done to the caller's own sound."""
    noise: Noise | None = None
    echo: Echo | None = None
    seed: int = 0

    def random(self, purpose: str) -> Random:
        """A stream of chances for one purpose, so that a change to one does not move the others."""
        return Random(f"{self.seed} {purpose}")


class Leg:
    """One direction between carrier and server."""

    def __init__(self, line: Line, direction: str) -> None:
        self._random = line.random(direction)
        self._delay = ms(line.delay_ms)
        self._jitter = ms(line.jitter_ms)
        self._latest = Instant(0)

    def arrival(self, now: Instant) -> Instant:
        """When a message that is sent now arrives: never before one that was sent earlier."""
        wait = self._delay
        if self._jitter:
            wait = Duration(wait + int(self._random.random() * self._jitter))
        self._latest = Instant(max(self._latest, now + wait))
        return self._latest


class Loss:
    """Frames lost in bursts (the two states of Gilbert's model), `frame_ms` long each."""

    def __init__(self, line: Line, frame_ms: float) -> None:
        assert 0 <= line.loss < 1
        self._random = line.random("loss")
        self._end = min(1.0, frame_ms / line.burst_ms)
        self._begin = min(1.0, self._end * line.loss / (1 - line.loss))
        self._losing = False

    def next(self) -> bool:
        """Whether the next frame is lost."""
        if self._begin:
            self._losing = self._random.random() < (1 - self._end if self._losing else self._begin)
        return self._losing
