"""`offhook score`: who speaks when, measured."""

from pathlib import Path
from typing import Annotated, Any

import typer


def score(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Recordings of people, with a manifest.tsv.")],
    calls: Annotated[int, typer.Option("--calls", min=1, help="About so many calls.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="What is drawn: the same seed, the same calls.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=0, help="Processes; 0: one for each processor.")] = 0,
    family: Annotated[list[str] | None, typer.Option("--family", help="Only this family; may be repeated.")] = None,
    report: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page about the calls that went wrong.")
    ] = None,
) -> None:
    """Make a thousand scripted calls in virtual time, and measure who speaks when.

    Exit code 1: a goal is missed.
    """
    import os

    from offhook.cli.files import require_writable, writing
    from offhook.simulator.score import html, table
    from offhook.simulator.score.corpus import Corpus
    from offhook.simulator.score.run import score as score_calls

    Corpus(folder)  # says in one line what is wrong with it, which processes of their own could not
    planned = _planned(calls, seed, family or [])
    require_writable(report)
    scored = score_calls(folder, planned, jobs or os.cpu_count() or 1, progress=_progress(len(planned)))
    samples = [sample for call in scored for sample in call.samples]
    rows = [row for row in table.judged(samples) if row.figure.number or not family]
    wrong = [call for call in scored if call.wrong]
    print(f"{len(scored)} calls; something went wrong in {len(wrong)}.\n")
    print(table.curves(samples), table.table(rows), sep="\n\n")
    if report is not None:
        with writing(report):
            report.write_text(html.page(folder, rows, wrong), encoding="utf-8")
        print(f"\nThe calls that went wrong: {report}")
    if missed := sum(row.met is False for row in rows):
        print(f"\n{missed} of {sum(row.met is not None for row in rows)} goals are missed.")
        raise typer.Exit(1)


def _planned(calls: int, seed: int, families: list[str]) -> list[Any]:
    """The recipes of these families, or of all."""
    from offhook.errors import ConfigurationError
    from offhook.simulator.score import recipes
    from offhook.simulator.score.bench import SCENES

    if unknown := sorted(set(families) - set(SCENES)):
        raise ConfigurationError(f"There is no family {', '.join(unknown)}. There are: {', '.join(SCENES)}.")
    return [recipe for recipe in recipes.plan(calls, seed) if not families or recipe.family in families]


def _progress(count: int) -> Any:
    """Says on a terminal how far it is."""
    import sys

    def show(done: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{done} of {count} calls", end="\n" if done >= count else "", file=sys.stderr, flush=True)

    return show
