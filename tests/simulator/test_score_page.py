"""The plan of calls, the table, and the page about what went wrong."""

import ast
from pathlib import Path
from xml.etree import ElementTree

import pytest

from offhook.simulator import score
from offhook.simulator.score import bench, html, recipes, table
from offhook.simulator.score.ears import Class
from offhook.simulator.score.lines import LINES
from offhook.simulator.score.run import score as score_calls
from offhook.simulator.score.stage import Sample
from recordings import AUDIO, needs_recordings

TURN_TAKING = ("offhook.turns", "offhook.call.", "offhook.audio.speech")


def test_it_imports_no_turn_taking() -> None:
    """What a call makes known is no turn-taking."""
    for path in Path(score.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name == "offhook.call.outputs" or not name.startswith(TURN_TAKING), f"{path.name}: {name}"


def test_a_thousand_calls_are_of_all_families_lines_and_ears() -> None:
    plan = recipes.plan(1_000, seed=1)
    assert len(plan) >= 1_000
    assert {recipe.family for recipe in plan} == set(bench.SCENES)
    assert {recipe.line for recipe in plan} == set(LINES)
    assert {(recipe.family, recipe.ears) for recipe in plan} >= {
        (family, ears) for family in ("backchannel", "noise", "side talk", "interruption") for ears in Class
    }
    assert len(set(plan)) == len(plan)


def test_a_goal_that_is_missed_says_so() -> None:
    samples = [Sample("stop time", value, 0, "clean", "upload") for value in (0.1, 0.15, 0.9)]
    rows = {row.row.name: row for row in table.judged(samples)}
    assert rows["stop time, clean, p50"].met is True
    assert rows["stop time, clean, p95"].met is False
    assert rows["missed turns, 5 dB"].met is None
    assert "MISSED" in table.table(list(rows.values()))


@needs_recordings
@pytest.mark.recordings
def test_every_family_is_played_measured_and_drawn() -> None:
    assert AUDIO is not None
    plan = [recipes.Recipe(family, 1) for family in bench.SCENES if family not in ("crowd", "silence")]
    scored = score_calls(AUDIO, plan)
    assert {call.recipe.family for call in scored if call.samples} == {recipe.family for recipe in plan}
    samples = [sample for call in scored for sample in call.samples]
    page = html.page(AUDIO, table.judged(samples), scored, most=30)
    drawings = page.count("<svg")
    assert drawings == len({call.recipe for call in scored if call.wrong})
    for drawing in page.split("<svg")[1:]:
        ElementTree.fromstring("<svg" + drawing.split("</svg>")[0] + "</svg>")
