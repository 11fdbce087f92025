"""Makes all calls of a plan, in several processes: each reads the recordings once and makes its share of the calls."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from offhook.simulator.score import bench
from offhook.simulator.score.corpus import Corpus
from offhook.simulator.score.recipes import Recipe
from offhook.simulator.score.stage import Sample, Tune
from offhook.values import Value

_BATCH = 16
"""Calls in one world."""


class Scored(Value, frozen=True):
    """What was measured in one call."""

    recipe: Recipe
    samples: tuple[Sample, ...]

    @property
    def wrong(self) -> tuple[Sample, ...]:
        """What went wrong in it."""
        return tuple(sample for sample in self.samples if sample.wrong)


def score(
    folder: Path,
    recipes: Sequence[Recipe],
    jobs: int = 1,
    tune: Tune = bench.as_it_is,
    progress: Callable[[int], None] = lambda done: None,
) -> list[Scored]:
    """All calls, in the order of their recipes, whatever the number of `jobs`. `tune` is sent to other processes, so
    it must be a function of a module."""
    scored: list[Scored] = []
    for batch in _batches(folder, recipes, jobs, tune):
        scored += batch
        progress(len(scored))
    return scored


def _batches(folder: Path, recipes: Sequence[Recipe], jobs: int, tune: Tune) -> Iterator[list[Scored]]:
    batches = [recipes[start : start + _BATCH] for start in range(0, len(recipes), _BATCH)]
    if jobs == 1:
        corpus = Corpus(folder)
        yield from (_play(corpus, batch, tune) for batch in batches)
        return
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, context, _begin, (folder, tune)) as pool:
        yield from pool.map(_work, batches)


_CORPUS: Corpus
_TUNE: Tune


def _begin(folder: Path, tune: Tune) -> None:
    """In each process, once."""
    global _CORPUS, _TUNE
    logging.getLogger("offhook").setLevel(logging.CRITICAL)  # failures are part of the plan
    _CORPUS, _TUNE = Corpus(folder), tune


def _work(recipes: Sequence[Recipe]) -> list[Scored]:
    return _play(_CORPUS, recipes, _TUNE)


def _play(corpus: Corpus, recipes: Sequence[Recipe], tune: Tune) -> list[Scored]:
    return [Scored(stage.recipe, tuple(bench.measured(stage))) for stage in bench.play(recipes, corpus, tune)]
