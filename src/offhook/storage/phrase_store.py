"""Phrases on disk, once spoken: one small file for each voice and text, which anybody may delete at any time."""

import contextlib
import hashlib
import logging
import os
import tempfile
import zlib
from pathlib import Path

import msgspec

from offhook.values import Value
from offhook.version import VERSION

logger = logging.getLogger("offhook.storage")

KEPT = 1_000
"""Files. Of more, those that were not used for longest are deleted."""


class SpokenPhrase(Value, frozen=True):
    """A phrase as it goes out on the line (mu-law at 8 kHz), and the level of the voice before it was adjusted, in
    dBov."""

    mulaw: bytes
    level: float | None = None


class _File(Value, frozen=True):
    """What a file holds. The key is repeated, so that a file in the wrong place is noticed."""

    key: str
    phrase: SpokenPhrase
    checksum: int


class PhraseStore:
    """A folder of phrases. It blocks: call it in a thread. It never raises: a folder that cannot be used keeps
    nothing.
    """

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self.folder = folder
        self._kept = kept
        self._told = False

    def find(self, fingerprint: str, text: str) -> SpokenPhrase | None:
        """A text as a voice spoke it. What is damaged is not there."""
        path, key = self._place(fingerprint, text)
        try:
            file = msgspec.msgpack.decode(path.read_bytes(), type=_File)
            os.utime(path)
        except (OSError, msgspec.MsgspecError):
            return None
        return file.phrase if file.key == key and file.checksum == zlib.crc32(file.phrase.mulaw) else None

    def keep(self, fingerprint: str, text: str, phrase: SpokenPhrase) -> None:
        """Write a phrase down, whole or not at all."""
        path, key = self._place(fingerprint, text)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(path, msgspec.msgpack.encode(_File(key, phrase, zlib.crc32(phrase.mulaw))))
            self._forget()
        except OSError as error:
            if not self._told:
                self._told = True
                logger.warning("Phrases cannot be kept in %s: %s", self.folder, error.strerror or error)

    def _place(self, fingerprint: str, text: str) -> tuple[Path, str]:
        """Another version of Offhook may treat sound otherwise, so it is part of the key."""
        key = hashlib.sha256(msgspec.json.encode([VERSION, fingerprint, text])).hexdigest()
        return self.folder / f"{key}.phrase", key

    def _write(self, path: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(suffix=".new", dir=self.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(name).replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise

    def _forget(self) -> None:
        files = sorted(self.folder.glob("*.phrase"), key=_age)
        for path in files[: -self._kept]:
            path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
