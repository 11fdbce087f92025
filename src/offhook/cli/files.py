"""Files that commands write: what keeps one from being written is one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Around what writes a file. Raises ConfigurationError where it cannot be written."""
    from offhook.errors import ConfigurationError

    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror or error}") from None


def require_writable(path: Path | None) -> None:
    """Make sure, before work that takes minutes, that what comes of it can be written; all stays as it is until then.
    Raises ConfigurationError."""
    if path is None:
        return
    there = path.exists()
    with writing(path):
        path.open("ab").close()
        if not there:
            path.unlink()
