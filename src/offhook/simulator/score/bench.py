"""One call after another: sets a scene, lets it be played in virtual time, and measures."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from offhook.agent import Agent
from offhook.simulator import world
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import rehearsed
from offhook.simulator.score import families_other, families_over, families_turns, measures
from offhook.simulator.score.corpus import Corpus
from offhook.simulator.score.hearing import Room
from offhook.simulator.score.recipes import Recipe
from offhook.simulator.score.stage import Sample, Scene, Stage, Tune

SCENES: dict[str, Scene] = {**families_turns.FAMILIES, **families_over.FAMILIES, **families_other.FAMILIES}
CROWD = 8
"""Calls at once where there are many."""


def as_it_is(agent: Agent) -> Agent:
    """The agent, with Offhook's defaults."""
    return agent


def play(recipes: Sequence[Recipe], corpus: Corpus, tune: Tune = as_it_is) -> list[Stage]:
    """Make the calls of these recipes, all in one world: it hears them together, and nothing else joins them."""
    room = Room()
    stages = [Stage(recipe, corpus, tune, room) for recipe in _crowded(recipes)]
    world.run(_together(stages), limit=600)
    return stages


def _crowded(recipes: Sequence[Recipe]) -> list[Recipe]:
    """Where there are to be many calls at once, there are."""
    found = []
    for recipe in recipes:
        count = CROWD if recipe.family == "crowd" else 1
        found += [replace(recipe, item=recipe.item + 1_000 * number) for number in range(count)]
    return found


async def _together(stages: Sequence[Stage]) -> None:
    await asyncio.gather(*(_play(stage) for stage in stages))


async def _play(stage: Stage) -> None:
    scene = SCENES[stage.recipe.family]
    scene.prepare(stage)

    async def script(caller: SimulatedCaller) -> None:
        try:
            await scene.script(stage, caller)
        except TimeoutError as error:
            stage.fault = str(error)

    told = await rehearsed(stage.agent, script, hearing=stage.hearing, line=stage.line)
    assert told.caller is not None
    stage.result, stage.reports = told.caller, told.reports


def measured(stage: Stage) -> list[Sample]:
    """What a call that is over has shown."""
    if stage.fault:
        return measures.sound(stage)
    return [*SCENES[stage.recipe.family].measure(stage), *measures.sound(stage)]
