"""The rows of the table: what is measured, which samples count, what is wanted, and the best that is known."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from offhook.simulator.score import statistics
from offhook.simulator.score.ears import Class
from offhook.simulator.score.lines import CLEAN, LINES, NOISIER, NOISY
from offhook.simulator.score.stage import Sample
from offhook.simulator.score.statistics import Figure

_TEXT = (Class.UPLOAD, Class.STREAM)
_OTHERS = tuple(name for name in LINES if name != CLEAN)

Samples = Sequence[Sample]


class Row(NamedTuple):
    """One line of the table. `figure` makes it of all samples; `unit` is "%", "s", "ms" or "". The goal is at most
    `most`, or at least `least`; `times` makes it a multiple of the timer's figure."""

    name: str
    figure: Callable[[Samples], Figure]
    unit: str
    most: float | None = None
    least: float | None = None
    times: float | None = None
    timer: Callable[[Samples], Figure] | None = None
    known: str = ""


class Judged(NamedTuple):
    """A row with what was measured. `met` is None where nothing was."""

    row: Row
    figure: Figure
    timer: Figure | None
    goal: float | None
    met: bool | None


def judge(row: Row, samples: Samples) -> Judged:
    """A row's figures, and whether its goal is met."""
    figure = row.figure(samples)
    timer = row.timer(samples) if row.timer else None
    goal = row.most if row.least is None else row.least
    if row.times is not None and timer is not None and timer.number:
        goal = row.times * timer.value
    if not figure.number or goal is None:
        return Judged(row, figure, timer, goal, None)
    met = figure.value <= goal + 1e-9 if row.least is None else figure.value >= goal - 1e-9
    return Judged(row, figure, timer, goal, met)


def _values(samples: Samples, metrics: Sequence[str], lines: Sequence[str], ears: Sequence[str]) -> list[float]:
    return [
        it.value
        for it in samples
        if it.metric in metrics and it.factor == 1 and it.line in lines and (not ears or it.ears in ears)
    ]


def _share(*metrics: str, lines: Sequence[str] = LINES, ears: Sequence[str] = ()) -> Callable[[Samples], Figure]:
    return lambda samples: statistics.share(_values(samples, metrics, lines, ears))


def _of(
    statistic: Callable[[statistics.Values], float],
    *metrics: str,
    lines: Sequence[str] = LINES,
    ears: Sequence[str] = (),
) -> Callable[[Samples], Figure]:
    return lambda samples: statistics.of(statistic, _values(samples, metrics, lines, ears))


def _total(*metrics: str) -> Callable[[Samples], Figure]:
    def figure(samples: Samples) -> Figure:
        values = _values(samples, metrics, LINES, ())
        return Figure(sum(values), sum(values), sum(values), len(values))

    return figure


def _per_word(metric: str) -> Callable[[Samples], Figure]:
    def figure(samples: Samples) -> Figure:
        words = round(sum(_values(samples, ("words",), LINES, ())))
        wrong = round(sum(_values(samples, (metric,), LINES, ())))
        found = statistics.share([1.0] * wrong + [0.0] * max(0, words - wrong))
        return Figure(10_000 * found.value, 10_000 * found.low, 10_000 * found.high, words)

    return figure


def _within_one(samples: Samples) -> Figure:
    return statistics.share([value <= 1 for value in _values(samples, ("words-heard error",), LINES, ())])


def curve(samples: Samples, ears: str) -> statistics.Curve:
    """Turns with pauses on a clean line, with waits of several lengths."""
    return statistics.Curve([it for it in samples if it.line == CLEAN and it.ears == ears])


def _dead_air(ears: str) -> Callable[[Samples], Figure]:
    return lambda samples: curve(samples, ears).at()


def _timer_air(prefix: str, ears: str) -> Callable[[Samples], Figure]:
    return lambda samples: statistics.timer_at(
        [it for it in samples if it.factor == 1 and it.line == CLEAN and it.ears == ears], prefix
    )


_MISSED = ("missed", "answer missed", "digits known missed", "digits unknown missed", "crowd missed")
_TIMER_BARGE = "gpt-realtime 0.41 s, yields to 99.8 %, and to 96-99 % of uh-huhs (tau-voice)"
_EOT = "LiveKit v1 0.54 s, Smart Turn 1.05 s, timer 1.60 s (eot-bench)"


def _digits(kind: str) -> list[Row]:
    known = kind == "digits known"
    return [
        Row(f"{kind}: cut in", _share(f"{kind} interrupted", ears=_TEXT), "%", most=0.0 if known else 0.05),
        Row(
            f"{kind}: dead air, mean",
            _of(statistics.mean, f"{kind} dead air", ears=_TEXT),
            "s",
            most=0.4 if known else 1.9,
            timer=_timer_air(f"{kind} ", Class.UPLOAD),
        ),
        Row(f"{kind}: cut in, other texts", _share(f"{kind} interrupted", ears=(Class.GARBLED, Class.NONE)), "%"),
    ]


def _kept() -> list[Row]:
    least = {"backchannel": 0.95, "noise": 0.95, "side talk": 0.7}
    best = {"backchannel": "97 %", "noise": "62 %", "side talk": "58 %"}
    rows = [
        Row(
            f"keeps its thread: {kind}, {ears}",
            _share(f"kept: {kind}", ears=(ears,)),
            "%",
            least=wanted,
            timer=_share(f"timer kept: {kind}", ears=(ears,)),
            known=f"{best[kind]} (tau-voice; that system yields to 46 %)",
        )
        for kind, wanted in least.items()
        for ears in Class
    ]
    others = ("longer backchannel", "false start", "tones")
    return [*rows, *(Row(f"keeps its thread: {it}", _share(f"kept: {it}"), "%") for it in others)]


ROWS: tuple[Row, ...] = (
    Row(
        "dead air at 5 % cut-ins, with text",
        _dead_air(Class.UPLOAD),
        "s",
        times=0.6,
        timer=_timer_air("", Class.UPLOAD),
        known=_EOT,
    ),
    Row(
        "dead air at 5 % cut-ins, no text",
        _dead_air(Class.NONE),
        "s",
        times=0.8,
        timer=_timer_air("", Class.NONE),
        known=_EOT,
    ),
    Row("cut-ins by pauses, as shipped, with text", _share("cut-in", lines=(CLEAN,), ears=_TEXT), "%"),
    Row("cut-ins by pauses, as shipped, 20 % wrong", _share("cut-in", lines=(CLEAN,), ears=(Class.GARBLED,)), "%"),
    Row("dead air, as shipped, mean", _of(statistics.mean, "dead air", lines=(CLEAN,), ears=_TEXT), "s"),
    Row("dead air after one word, median", _of(statistics.median, "answer dead air", lines=(CLEAN,)), "s"),
    *_digits("digits known"),
    *_digits("digits unknown"),
    Row("missed turns, clean and 15 dB", _share(*_MISSED, lines=(CLEAN, NOISY)), "%", most=0.0),
    Row("missed turns, 5 dB", _share(*_MISSED, lines=(NOISIER,)), "%", most=0.01),
    Row("missed turns, lossy, jittery, echoing", _share(*_MISSED, lines=_OTHERS[2:]), "%"),
    Row(
        "stop time, clean, p50",
        _of(statistics.median, "stop time", lines=(CLEAN,)),
        "s",
        most=0.2,
        timer=_of(statistics.median, "timer stop time", lines=(CLEAN,)),
        known=_TIMER_BARGE,
    ),
    Row(
        "stop time, clean, p95",
        _of(statistics.p95, "stop time", lines=(CLEAN,)),
        "s",
        most=0.35,
        timer=_of(statistics.p95, "timer stop time", lines=(CLEAN,)),
    ),
    Row(
        "stop time beyond the line's own, others, p50",
        _of(statistics.median, "stop beyond line", lines=_OTHERS),
        "s",
        most=0.2,
    ),
    Row(
        "stop time beyond the line's own, others, p95",
        _of(statistics.p95, "stop beyond line", lines=_OTHERS),
        "s",
        most=0.35,
    ),
    *(
        Row(
            f"yields to interruptions, {ears}",
            _share("yielded", ears=(ears,)),
            "%",
            least=0.99,
            timer=_share("timer yielded", ears=(ears,)),
            known="99.8 % (gpt-realtime, tau-voice)",
        )
        for ears in Class
    ),
    *_kept(),
    Row(
        "false stop on echo alone",
        _share("false stop on echo"),
        "%",
        most=0.01,
        timer=_share("timer false stop on echo"),
        known="webrtcvad fires in 35 to 95 %",
    ),
    Row("stale audio after clear, all calls", _total("stale"), "ms", most=0.0),
    Row("frames lost, doubled or late, all replies", _total("frames"), "", most=0.0),
    Row("words heard: at most one off", _within_one, "%", least=0.99),
    Row("sentences in history never heard", _total("sentence never heard"), "", most=0.0),
    Row("caller's words lost, in 10,000", _per_word("words lost"), "", most=0.0),
    Row("caller's words cut, in 10,000", _per_word("words cut"), "", most=0.0),
    Row("caller's words doubled, in 10,000", _per_word("words doubled"), "", most=0.0),
    Row("requests for silence", _total("silent request"), "", most=0.0),
    *(
        Row(f"answered: {family}", _share(f"answered: {family}"), "%", least=1.0)
        for family in ("start-up", "tool", "last mark", "silence", "failure", "crowd")
    ),
    Row("manners in silence", _share("manners in silence"), "%", least=1.0),
    Row("keys understood", _share("keys"), "%", least=1.0),
    Row("calls let go of", _share("let go of"), "%", least=1.0),
    Row("calls without a complaint", _share("sound"), "%", least=1.0),
)
