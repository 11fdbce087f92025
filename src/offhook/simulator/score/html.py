"""The calls that went wrong, as pictures: both tracks, what was heard in them, and who held the floor."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from offhook.simulator.score import bench, picture
from offhook.simulator.score.corpus import Corpus
from offhook.simulator.score.goals import Judged
from offhook.simulator.score.run import Scored
from offhook.simulator.score.stage import Stage, Tune
from offhook.simulator.score.table import cells

_STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem; color: #1c2733; }
table { border-collapse: collapse; font-size: 12.5px; } td, th { padding: .2rem .6rem; text-align: left; }
tr:nth-child(even) { background: #f4f6f8; } .missed td { color: #b3261e; font-weight: 600; }
figure { margin: 1.6rem 0; } figcaption { font-weight: 600; } .why { color: #b3261e; font-weight: 400; }
svg { width: 100%; height: auto; background: #fbfcfd; border: 1px solid #dde3e8; }
text { font: 10px system-ui, sans-serif; fill: #5a6772; }
.caller { fill: #2b6cb0; } .agent { fill: #2f855a; } .both { fill: #c05621; } .none { fill: #e2e8ee; }
.label { fill: #2b6cb0; opacity: .12; } .hold { fill: #c05621; opacity: .18; }
.speech { stroke: #2b6cb0; fill: none; } .echo { stroke: #2f855a; fill: none; stroke-dasharray: 3 2; }
.grid { stroke: #e2e8ee; } .clear { stroke: #b3261e; } .asked { stroke: #805ad5; stroke-width: 4; }
.said { stroke: #1c2733; }
"""


def page(
    folder: Path, rows: Sequence[Judged], wrong: Sequence[Scored], tune: Tune = bench.as_it_is, most: int = 60
) -> str:
    """The table, and up to `most` of the calls that went wrong, of each kind of fault in turn; each is made again."""
    chosen = _chosen(wrong, most)
    stages = bench.play([call.recipe for call in chosen], Corpus(folder), tune) if chosen else []
    pictures = {
        stage.recipe: _figure(stage, call) for call in chosen for stage in stages if stage.recipe == call.recipe
    }
    head = f"<h1>Who speaks when</h1><p>{len(wrong)} calls went wrong in something; {len(pictures)} are shown.</p>"
    legend = (
        "<p>From above: the caller's sound as it reached the server, with what was said (blue) and its pauses "
        "(orange); the probability of speech and the likeness to our own voice (dashed); the agent's sound at the "
        "caller's ear; "
        "what was sent to be transcribed (violet), and <code>clear</code> (red); who held the floor.</p>"
    )
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>offhook score</title><style>{_STYLE}</style>"
        f"{head}{_table(rows)}<h2>Calls that went wrong</h2>{legend}{''.join(pictures.values())}</html>"
    )


def _chosen(wrong: Sequence[Scored], most: int) -> list[Scored]:
    """Of each kind of fault the first calls, kind by kind. A crowd is made only as a whole, and is left out."""
    kinds: dict[str, list[Scored]] = {}
    for call in wrong:
        if call.recipe.family != "crowd":
            for sample in call.wrong:
                kinds.setdefault(sample.metric, []).append(call)
    chosen: dict[object, Scored] = {}
    for place in range(max(map(len, kinds.values()), default=0)):
        for calls in kinds.values():
            if place < len(calls) and len(chosen) < most:
                chosen.setdefault(calls[place].recipe, calls[place])
    return list(chosen.values())


def _figure(stage: Stage, call: Scored) -> str:
    why = "; ".join(dict.fromkeys(f"{it.metric}: {it.note}" for it in call.wrong))
    caption = f"{escape(stage.recipe.name)} <span class='why'>{escape(why)}</span>"
    return f"<figure><figcaption>{caption}</figcaption>{picture.draw(stage)}</figure>"


def _table(rows: Sequence[Judged]) -> str:
    head, *lines = cells(rows)
    body = [
        f"<tr{' class=missed' if row.met is False else ''}>{''.join(f'<td>{escape(cell)}</td>' for cell in line)}</tr>"
        for row, line in zip(rows, lines, strict=True)
    ]
    return f"<table><tr>{''.join(f'<th>{escape(cell)}</th>' for cell in head)}</tr>{''.join(body)}</table>"
