"""`offhook score` at the prompt."""

import pytest

from offhook.cli import main as cli
from recordings import AUDIO, needs_recordings

pytestmark = needs_recordings


def score(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, family: str) -> tuple[int, str, str]:
    """Its exit code, and what it printed."""
    options = ["--jobs", "1", "--calls", "25", "--family", family]
    monkeypatch.setattr("sys.argv", ["offhook", "score", str(AUDIO), *options])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_one_family_prints_the_rows_that_it_measures(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = score(capsys, monkeypatch, "hang-up")
    rows = [line.split("  ")[0] for line in out.partition("---\n")[2].splitlines()]
    assert rows == ["calls let go of", "calls without a complaint"]
    assert "No turns with pauses" in out
    assert code == 0


def test_an_unknown_family_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = score(capsys, monkeypatch, "sneeze")
    assert code == 2
    assert err.startswith("offhook: There is no family sneeze. There are: pauses")
    assert err.count("\n") == 1
