"""An agent's folder that cannot be watched."""

from pathlib import Path

import pytest
from doors import run

from offhook.errors import ConfigurationError
from offhook.server.workers.reloading import changes


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("watchfiles")

    async def scenario() -> None:
        with pytest.raises(ConfigurationError, match=r"--reload cannot watch .*nowhere: .*; leave it off"):
            await anext(changes(tmp_path / "nowhere"))

    run(scenario())
