"""Draw the turn table as Mermaid diagrams into docs/theory/turn-taking.md. `--check`: are they current?

The caller's machine, the agent's, and the joint table, in which each arrow is a state of both that does not last.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from offhook.turns.events import Event
from offhook.turns.table import AGENT, CALLER, JOINT, Agent, Caller, Rule

PAGE = Path(__file__).parents[1] / "docs" / "theory" / "turn-taking.md"
BEGIN = "<!-- drawn from offhook/turns/table.py by `make diagrams`: begin -->\n"
END = "<!-- drawn from offhook/turns/table.py by `make diagrams`: end -->\n"

Arrow = tuple[str, str, str]
"""From, to, and what is written beside it."""


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    page = PAGE.read_text(encoding="utf-8")
    current = with_diagrams(page)
    if page == current:
        return 0
    if "--check" in arguments:
        print(f"{PAGE.name} shows an older turn table: run `make diagrams`.", file=sys.stderr)
        return 1
    PAGE.write_text(current, encoding="utf-8")
    return 0


def with_diagrams(page: str) -> str:
    """The page with the diagrams of the table as it is now."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{drawn()}\n{END}{after}"


def drawn() -> str:
    """All three diagrams, each under its title."""
    caller = [(state, to, event) for (state, event), to in CALLER.items() if event is not Event.CALLER_LEFT]
    agent = [
        (state, step.to, f"{event}{f' / {step.move}' if step.move else ''}")
        for (state, event), step in AGENT.items()
        if event is not Event.CALLER_LEFT
    ]
    joint = [(_both(*states), _both(rule.caller, rule.agent), _wait(rule)) for states, rule in JOINT.items()]
    return "\n".join(
        (
            *_diagram(
                f"The caller, *{Caller.ABSENT}* at first, and again from wherever when the caller has left:", caller
            ),
            *_diagram(
                f"The agent, *{Agent.NOT_STARTED}* at first, and again from wherever when the caller has left. "
                "Behind a stroke: the move that follows.",
                agent,
            ),
            *_diagram("Both (caller / agent): which states do not last, for how long, and what follows:", joint),
        )
    )


def _diagram(title: str, arrows: Iterable[Arrow]) -> list[str]:
    """Arrows between the same states become one."""
    merged: dict[tuple[str, str], list[str]] = {}
    for start, end, label in arrows:
        merged.setdefault((start, end), []).append(label)
    names = dict.fromkeys(name for pair in merged for name in pair)
    lines = [title, "", "```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{name}" as {_id(name)}' for name in names]
    lines += [f"    {_id(start)} --> {_id(end)}: {', '.join(labels)}" for (start, end), labels in merged.items()]
    return [*lines, "```", ""]


def _both(caller: Caller, agent: Agent) -> str:
    return f"{caller} / {agent}"


def _wait(rule: Rule) -> str:
    wait = "at once" if rule.wait == "none" else f"{rule.wait} since {rule.since} ({rule.clock})"
    return f"{wait}{f' / {rule.move}' if rule.move else ''}"


def _id(name: str) -> str:
    return name.replace(" / ", "__").replace(" ", "_")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
