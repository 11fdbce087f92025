"""Figures with the intervals in which they lie: shares, quantiles, and dead air at a share of cut-ins."""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from offhook.simulator.score.stage import Sample

Values = NDArray[np.float64]

_Z = 1.96
_AGAIN = 200
AT_MOST = 0.05
"""The share of pauses that may be cut into."""


class Figure(NamedTuple):
    """A figure, the 95 % interval it lies in, and of how many it is made."""

    value: float
    low: float
    high: float
    number: int


def share(values: Sequence[float]) -> Figure:
    """How many are true (Wilson's interval)."""
    count = len(values)
    if not count:
        return Figure(math.nan, math.nan, math.nan, 0)
    part = sum(value > 0 for value in values) / count
    middle = (part + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    reach = _Z * math.sqrt(part * (1 - part) / count + _Z**2 / (4 * count**2)) / (1 + _Z**2 / count)
    return Figure(part, max(0.0, middle - reach), min(1.0, middle + reach), count)


def of(statistic: Callable[[Values], float], values: Sequence[float]) -> Figure:
    """Any statistic, with the interval that drawing anew gives (bootstrap)."""
    if not values:
        return Figure(math.nan, math.nan, math.nan, 0)
    array, random = np.array(values), np.random.default_rng(1)
    drawn = [statistic(random.choice(array, len(array))) for _ in range(_AGAIN)]
    low, high = np.percentile(drawn, (2.5, 97.5), method="nearest")
    return Figure(statistic(array), float(low), float(high), len(array))


def mean(values: Values) -> float:
    return float(values.mean())


def median(values: Values) -> float:
    return float(np.median(values))


def p95(values: Values) -> float:
    return float(np.percentile(values, 95))


class Point(NamedTuple):
    """What waits of one length cost: the share of pauses that were cut into, and the mean dead air in seconds."""

    factor: float
    cut_in: float
    dead_air: float


class Curve:
    """Calls about the same turns, with waits of several lengths."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._cuts: dict[float, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._airs: dict[float, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        for it in samples:
            if it.metric == "cut-in":
                self._cuts[it.factor][it.item].append(it.value)
            elif it.metric == "dead air":
                self._airs[it.factor][it.item].append(it.value)
        self._items = sorted({item for cuts in self._cuts.values() for item in cuts})
        self.holds = sum(map(len, self._cuts[1.0].values())) if self._cuts else 0

    def points(self, items: Sequence[int] | None = None) -> list[Point]:
        """One for each factor; of these turns alone."""
        chosen = self._items if items is None else items
        return [
            Point(factor, _mean_of(self._cuts[factor], chosen), _mean_of(self._airs[factor], chosen))
            for factor in sorted(self._cuts)
        ]

    def at(self) -> Figure:
        """Dead air in seconds where 5 % of the pauses are cut into, between the two points about it."""
        return _drawn(self._items, lambda items: _at(self.points(items)), self.holds)


def timer_at(samples: Sequence[Sample], prefix: str = "") -> Figure:
    """The same for a silence timer: as long as all but 5 % of the pauses, and by how much a detector outlasts
    speech."""
    quiets, tails = defaultdict[int, list[float]](list), defaultdict[int, list[float]](list)
    for it in samples:
        if it.metric == f"{prefix}timer quiet":
            quiets[it.item].append(it.value)
        elif it.metric == f"{prefix}timer tail":
            tails[it.item].append(it.value)

    def figure(items: Sequence[int]) -> float:
        longest = sorted(value for item in items for value in quiets[item])
        if not longest:
            return math.nan
        return longest[min(len(longest) - 1, math.ceil(len(longest) * (1 - AT_MOST)))] + _mean_of(tails, items)

    return _drawn(sorted(quiets), figure, sum(map(len, quiets.values())))


def _drawn(items: Sequence[int], figure: Callable[[Sequence[int]], float], count: int) -> Figure:
    if not items:
        return Figure(math.nan, math.nan, math.nan, 0)
    random = np.random.default_rng(1)
    drawn = [figure(random.choice(items, len(items)).tolist()) for _ in range(_AGAIN)]
    known = [value for value in drawn if not math.isnan(value)]
    if not known or math.isnan(figure(items)):
        return Figure(math.nan, math.nan, math.nan, 0)
    low, high = np.percentile(known, (2.5, 97.5), method="nearest")
    return Figure(figure(items), float(low), float(high), count)


def _mean_of(values: dict[int, list[float]], items: Sequence[int]) -> float:
    chosen = [value for item in items for value in values.get(item, ())]
    return sum(chosen) / len(chosen) if chosen else math.nan


def _at(points: Sequence[Point]) -> float:
    """Between the last point above 5 % and the first below; the longest waits where all are above."""
    before: Point | None = None
    for point in points:
        if point.cut_in <= AT_MOST:
            if before is None or before.cut_in <= point.cut_in:
                return point.dead_air
            part = (before.cut_in - AT_MOST) / (before.cut_in - point.cut_in)
            return before.dead_air + part * (point.dead_air - before.dead_air)
        before = point
    return math.inf
