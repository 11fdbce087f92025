"""What is said of a folder of recordings whose lists are not right."""

from pathlib import Path

import pytest

from offhook.errors import ConfigurationError
from offhook.simulator.score.corpus import Corpus

HEAD = "file\ttranscript\n"


def complaint(folder: Path, manifest: str, pauses: str = "") -> str:
    """What is said of a folder with these lists."""
    (folder / "manifest.tsv").write_text(manifest)
    if pauses:
        (folder / "pauses.csv").write_text("file,pause_start,pause_end,kind\n" + pauses)
    with pytest.raises(ConfigurationError) as caught:
        Corpus(folder)
    said = str(caught.value)
    assert str(folder) in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize("manifest", ["", "path\ttranscript\nutt/a.wav\thello\n", "file,transcript\nutt/a.wav,hello\n"])
def test_a_manifest_must_name_files(tmp_path: Path, manifest: str) -> None:
    assert 'manifest.tsv has no column "file"' in complaint(tmp_path, manifest)


@pytest.mark.parametrize("file", ["utt/a.wav", ""])
def test_a_listed_file_must_be_there(tmp_path: Path, file: str) -> None:
    said = complaint(tmp_path, f"{HEAD}{file}\thello\n")
    assert said.startswith("manifest.tsv in ")
    assert f'lists "{file}"' in said


def test_a_file_whose_pauses_are_labelled_must_be_there(tmp_path: Path) -> None:
    assert "a CSV file in" in complaint(tmp_path, HEAD, "pause/a.wav,1.0,2.0,hold\n")
