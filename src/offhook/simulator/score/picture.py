"""One call as a drawing (SVG): time runs to the right."""

import itertools
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.audio.events import CHUNK
from offhook.call.outputs import AgentSaid, Interrupted, UserSaid
from offhook.simulator.ledger import Span
from offhook.simulator.score.stage import Stage, Uttered
from offhook.timebase import RATE, SAMPLE_US, Duration, ms

_WIDTH = 1_150.0
_LEFT = 70.0
_WAVE, _CURVE, _BAND = 46.0, 30.0, 14.0
_CALLER, _EVIDENCE, _AGENT = 50.0, 84.0, 164.0
_ORDERS, _FLOOR, _HEIGHT = 218.0, 228.0, 262.0
_STEP = 80
_FULL = 12_000.0


def draw(stage: Stage) -> str:
    """The drawing."""
    end = max(1, stage.result.ended_at // SAMPLE_US)
    canvas = _Canvas(end)
    canvas.grid()
    for uttered in stage.uttered:
        canvas.box("label", uttered.start, uttered.end, 4, _CALLER + _WAVE / 2)
        for hold in _holds(uttered):
            canvas.box("hold", hold.start, hold.end, 4, _CALLER + _WAVE / 2)
    canvas.wave("caller", mulaw.decode(bytes(stage.track.audio)), _CALLER)
    canvas.wave("agent", mulaw.decode(stage.result.ear.between(0, end)), _AGENT)
    canvas.curve("speech", [(it.position, it.speech) for it in stage.hearing.evidence])
    canvas.curve("echo", [(it.position, it.echo) for it in stage.hearing.evidence])
    for asked in stage.ears.asked:
        canvas.ask(asked.spans, asked.text)
    for cleared in stage.result.cleared:
        canvas.tick("clear", cleared.at // SAMPLE_US, _AGENT - _WAVE / 2, _ORDERS)
    canvas.floor(stage.uttered, stage.result.ear.audible(_BRIDGE))
    for at, report in stage.reports:
        if isinstance(report, UserSaid | AgentSaid | Interrupted):
            canvas.note(at // SAMPLE_US, type(report).__name__)
    for name, y in (("caller", _CALLER), ("speech, echo", _EVIDENCE + 22), ("agent", _AGENT), ("asked", _ORDERS + 3)):
        canvas.text(4, y, name)
    canvas.text(4, _FLOOR + 11, "floor")
    return canvas.done()


_BRIDGE: Duration = ms(200)


def _holds(uttered: Uttered) -> list[Span]:
    return [Span(hold.start + uttered.at, hold.end + uttered.at) for hold in uttered.speech.holds]


class _Canvas:
    """Positions become places."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._parts: list[str] = []

    def _x(self, position: float) -> float:
        return _LEFT + (_WIDTH - _LEFT) * position / self._end

    def grid(self) -> None:
        """A line for each second."""
        for second in range(self._end // RATE + 1):
            self.tick("grid", second * RATE, 4, _HEIGHT - 12)
            self.text(self._x(second * RATE) - 3, _HEIGHT - 2, f"{second}")

    def box(self, kind: str, start: int, end: int, top: float, bottom: float) -> None:
        x, width = self._x(start), self._x(end) - self._x(start)
        self._parts.append(
            f"<rect class='{kind}' x='{x:.1f}' y='{top:.0f}' width='{max(0.5, width):.1f}' "
            f"height='{bottom - top:.0f}'/>"
        )

    def tick(self, kind: str, position: int, top: float, bottom: float) -> None:
        x = self._x(position)
        self._parts.append(f"<line class='{kind}' x1='{x:.1f}' x2='{x:.1f}' y1='{top:.0f}' y2='{bottom:.0f}'/>")

    def text(self, x: float, y: float, words: str) -> None:
        self._parts.append(f"<text x='{x:.1f}' y='{y:.0f}'>{words}</text>")

    def wave(self, kind: str, pcm: NDArray[np.int16], middle: float) -> None:
        """The outline of a sound, 10 ms by 10 ms."""
        whole = pcm[: len(pcm) // _STEP * _STEP].astype(np.float64).reshape(-1, _STEP)
        high, low = whole.max(axis=1, initial=0), whole.min(axis=1, initial=0)
        scale = _WAVE / 2 / _FULL
        upper = [self._point(place * _STEP, middle - min(_FULL, value) * scale) for place, value in enumerate(high)]
        lower = [self._point(place * _STEP, middle - max(-_FULL, value) * scale) for place, value in enumerate(low)]
        self._parts.append(f"<polygon class='{kind}' points='{' '.join([*upper, *reversed(lower)])}'/>")

    def curve(self, kind: str, values: Iterable[tuple[int, float]]) -> None:
        """Values from 0 to 1."""
        points = [self._point(at + CHUNK, _EVIDENCE + _CURVE * (1 - value)) for at, value in values]
        self._parts.append(f"<polyline class='{kind}' points='{' '.join(points)}'/>")

    def ask(self, spans: Sequence[Span], text: str) -> None:
        """What was sent to be transcribed."""
        for span in spans:
            self._parts.append(
                f"<line class='asked' x1='{self._x(span.start):.1f}' x2='{self._x(span.end):.1f}' y1='{_ORDERS:.0f}' "
                f"y2='{_ORDERS:.0f}'><title>{text}</title></line>"
            )

    def note(self, position: int, words: str) -> None:
        """Something was made known."""
        self.tick("said", position, _FLOOR - 4, _FLOOR + _BAND)
        self.text(self._x(position) + 2, _EVIDENCE + _CURVE + 16, words)

    def floor(self, uttered: Sequence[Uttered], agent: Sequence[Span]) -> None:
        """Who speaks: nobody, one of the two, or both."""
        caller = [Span(it.start, it.end) for it in uttered]
        edges = sorted({0, self._end, *(edge for span in (*caller, *agent) for edge in span if edge < self._end)})
        for start, end in itertools.pairwise(edges):
            one, other = (any(span.start <= start < span.end for span in spans) for spans in (caller, agent))
            kind = ("none", "agent", "caller", "both")[2 * one + other]
            self.box(kind, start, end, _FLOOR, _FLOOR + _BAND)

    def done(self) -> str:
        return f"<svg viewBox='0 0 {_WIDTH:.0f} {_HEIGHT:.0f}' role='img'>{''.join(self._parts)}</svg>"

    def _point(self, position: float, y: float) -> str:
        return f"{self._x(position):.1f},{y:.1f}"
