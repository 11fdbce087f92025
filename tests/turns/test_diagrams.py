"""The committed diagrams are those of the table."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "draw_turns.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw_turns", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_diagrams_are_current(script: ModuleType) -> None:
    assert script.main(["--check"]) == 0, "run `make diagrams`"


def test_a_stale_page_is_found_and_mended(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "turn-taking.md"
    page.write_text(f"Before.\n\n{script.BEGIN}an older table\n{script.END}\nAfter.\n", encoding="utf-8")
    monkeypatch.setattr(script, "PAGE", page)
    assert script.main(["--check"]) == 1
    assert "make diagrams" in capsys.readouterr().err
    assert script.main([]) == 0
    assert script.main(["--check"]) == 0
    text = page.read_text(encoding="utf-8")
    assert text.startswith("Before.\n")
    assert text.endswith("\nAfter.\n")
    assert "an older table" not in text


def test_every_state_and_every_move_is_drawn(script: ModuleType) -> None:
    from offhook.turns.events import Event, Move
    from offhook.turns.table import Agent, Caller

    drawn = script.drawn()
    unmoving = {Event.CALLER_LEFT, Event.EXPECTATION_CHANGED, Event.LINE_STALLED, Event.LINE_RESUMED}
    for name in (*Caller, *Agent, *Move, *(set(Event) - unmoving)):
        assert name in drawn, name
