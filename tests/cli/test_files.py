"""A file that cannot be written is one line, and is known before the work that it is for."""

from pathlib import Path

import pytest

from offhook.cli.files import require_writable, writing
from offhook.errors import ConfigurationError


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "x.wav"
    words = f"cannot write {path}: No such file or directory"
    with pytest.raises(ConfigurationError, match=words), writing(path):
        path.write_bytes(b"")
    with pytest.raises(ConfigurationError, match=words):
        require_writable(path)


def test_to_look_whether_a_file_can_be_written_changes_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("what was found last time")
    for path in (old, new, None):
        require_writable(path)
    assert old.read_text() == "what was found last time"
    assert not new.exists()
