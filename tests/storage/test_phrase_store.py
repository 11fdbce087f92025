"""Phrases on disk: found again, damaged ones not, written whole or not at all."""

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.storage.phrase_store import PhraseStore, SpokenPhrase

HELLO = SpokenPhrase(b"\x01\x02\x03" * 100, -20.5)


def only_file(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_what_was_kept_is_found_by_another_store_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    PhraseStore(folder).keep("nova", "Hello.", HELLO)
    assert PhraseStore(folder).find("nova", "Hello.") == HELLO
    assert only_file(folder).suffix == ".phrase"


@pytest.mark.parametrize("key", [("nova", "hello."), ("nova 2", "Hello."), ("novaHello.", ""), ("", "Hello.")])
def test_another_voice_or_text_is_another_phrase(tmp_path: Path, key: tuple[str, str]) -> None:
    store = PhraseStore(tmp_path)
    store.keep("nova", "Hello.", HELLO)
    assert store.find(*key) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: b"nonsense",
        lambda data: data + data,
    ],
)
def test_what_is_damaged_is_not_there_and_is_written_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    store = PhraseStore(tmp_path)
    store.keep("nova", "Hello.", HELLO)
    file = only_file(tmp_path)
    file.write_bytes(damage(file.read_bytes()))
    assert store.find("nova", "Hello.") is None
    store.keep("nova", "Hello.", HELLO)
    assert store.find("nova", "Hello.") == HELLO
    assert only_file(tmp_path) == file


@given(st.binary(max_size=300))
def test_no_file_brings_it_down(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        store = PhraseStore(Path(folder))
        store.keep("nova", "Hello.", HELLO)
        only_file(Path(folder)).write_bytes(data)
        assert store.find("nova", "Hello.") is None


def test_a_file_in_the_wrong_place_is_noticed(tmp_path: Path) -> None:
    store = PhraseStore(tmp_path)
    store.keep("nova", "Hello.", HELLO)
    hello = only_file(tmp_path)
    store.keep("nova", "Goodbye.", SpokenPhrase(b"other"))
    (goodbye,) = set(tmp_path.iterdir()) - {hello}
    goodbye.write_bytes(hello.read_bytes())
    assert store.find("nova", "Goodbye.") is None


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = PhraseStore(tmp_path)
    store.keep("nova", "Hello.", HELLO)

    def no_space(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", no_space)
        store.keep("nova", "Hello.", SpokenPhrase(b"new"))
        store.keep("nova", "Hello.", SpokenPhrase(b"new"))
    assert store.find("nova", "Hello.") == HELLO
    assert only_file(tmp_path).suffix == ".phrase", "nothing half-written stays"
    assert [record.levelno for record in caplog.records] == [logging.WARNING], "said once"


def test_a_folder_that_cannot_be_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = PhraseStore(tmp_path / "file" / "folder")
    store.keep("nova", "Hello.", HELLO)
    assert store.find("nova", "Hello.") is None


def test_those_that_were_not_used_for_longest_go_first(tmp_path: Path) -> None:
    store = PhraseStore(tmp_path, kept=3)
    for number in range(3):
        store.keep("nova", str(number), HELLO)
        (file,) = [file for file in tmp_path.iterdir() if file.stat().st_mtime > 1_000_000]
        os.utime(file, (number, number))
    assert store.find("nova", "0") == HELLO
    store.keep("nova", "3", HELLO)
    assert [store.find("nova", str(number)) is not None for number in range(4)] == [True, False, True, True]


def test_several_processes_may_share_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Stores know nothing of each other, as those of several workers: what one reads, another writes or forgets."""

    def work(seed: int) -> int:
        store, found = PhraseStore(tmp_path, kept=3), 0
        for step in range(60):
            text = str((seed * 7 + step) % 5)
            phrase = SpokenPhrase(text.encode() * 200, -20.0)
            store.keep("nova", text, phrase)
            kept = store.find("nova", text)
            assert kept in (None, phrase)
            found += kept is not None
        return found

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(work, range(4))) > 0
    assert not list(tmp_path.glob("*.new"))
    assert not caplog.records
