"""The table, as text."""

import math
from collections.abc import Sequence

from offhook.simulator.score.ears import Class
from offhook.simulator.score.goals import ROWS, Judged, Samples, curve, judge
from offhook.simulator.score.lines import CLEAN
from offhook.simulator.score.statistics import Figure

_HEAD = ("measure", "goal", "measured (95 %)", "n", "silence timer", "", "best known")
_MARKS = {True: "met", False: "MISSED", None: ""}


def judged(samples: Samples) -> list[Judged]:
    """All rows."""
    return [judge(row, samples) for row in ROWS]


def table(rows: Sequence[Judged]) -> str:
    """One line for each row, in columns."""
    filled = cells(rows)
    widths = [max(len(row[column]) for row in filled) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in filled]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def cells(rows: Sequence[Judged]) -> list[tuple[str, ...]]:
    """The head, and the texts of each row."""
    return [_HEAD, *map(_cells, rows)]


def curves(samples: Samples) -> str:
    """What longer and shorter waits cost, with text and without."""
    lines = ["waits x   cut-ins  dead air (mean)"]
    for ears in (Class.UPLOAD, Class.NONE):
        found = curve(samples, ears)
        if not found.holds:
            continue
        once = [it for it in samples if (it.metric, it.line, it.ears, it.factor) == ("natural holds", CLEAN, ears, 1.0)]
        natural = round(sum(it.value for it in once))
        lines.append(f"{ears}: {found.holds} pauses, {natural} of them natural, the others composed")
        lines += (f"{it.factor:7.2f}  {100 * it.cut_in:6.1f} %  {it.dead_air:8.3f} s" for it in found.points())
    return "\n".join(lines) if len(lines) > 1 else "No turns with pauses."


def _cells(it: Judged) -> tuple[str, ...]:
    unit = it.row.unit
    sign = ">=" if it.row.least is not None else "<="
    goal = "" if it.goal is None else f"{sign} {shown(it.goal, unit)}"
    timer = "" if it.timer is None or not it.timer.number else shown(it.timer.value, unit)
    return it.row.name, goal, _figure(it.figure, unit), str(it.figure.number), timer, _MARKS[it.met], it.row.known


def _figure(figure: Figure, unit: str) -> str:
    if not figure.number:
        return "-"
    if figure.low == figure.high:
        return shown(figure.value, unit)
    return f"{shown(figure.value, unit)} ({shown(figure.low, unit)} to {shown(figure.high, unit)})"


def shown(value: float, unit: str) -> str:
    """A value with its unit."""
    if math.isinf(value):
        return "not reached"
    match unit:
        case "%":
            return f"{100 * value:.1f} %"
        case "s":
            return f"{value:.3f} s"
    return f"{value:.0f} {unit}".strip()
