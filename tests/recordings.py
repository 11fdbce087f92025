"""Where the real recordings lie: a folder beside the project, or the one that `OFFHOOK_RECORDINGS` names."""

import os
from pathlib import Path

import pytest

_FOLDER = Path(os.environ.get("OFFHOOK_RECORDINGS", Path(__file__).parents[2] / "shared" / "audio"))
AUDIO: Path | None = _FOLDER if (_FOLDER / "manifest.tsv").is_file() else None

needs_recordings = pytest.mark.skipif(
    AUDIO is None, reason=f"no recordings at {_FOLDER}: set OFFHOOK_RECORDINGS to a folder with manifest.tsv"
)
