"""How many processes `offhook serve` begins."""

import sys

import pytest

from offhook.cli import main as cli
from offhook.cli import serve
from offhook.cli.cores import cores


@pytest.mark.parametrize(("wanted", "reload", "count"), [(None, False, cores()), (None, True, 1), (4, True, 4)])
def test_with_reload_there_is_one_unless_somebody_wants_more(wanted: int | None, reload: bool, count: int) -> None:
    assert serve._workers(wanted, reload=reload) == count


@pytest.mark.parametrize("options", [[], ["--reload"]])
def test_no_worker_at_all_is_one_line(
    options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["offhook", "serve", "nobody.py", "--workers", "0", *options])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert "OFFHOOK_WORKERS" in error
    assert error.count("\n") == 1
