"""Tells when an agent's file has changed, or a module in its folder."""

from collections.abc import AsyncIterator
from pathlib import Path

from offhook.errors import ConfigurationError

DEBOUNCE = 400
"""Milliseconds in which several changes are one: editors write more than once."""


def changes(folder: Path) -> AsyncIterator[str]:
    """The files that change. Raises ConfigurationError where `watchfiles` is not installed or cannot watch."""
    try:
        from watchfiles import PythonFilter, awatch
    except ImportError:
        raise ConfigurationError("--reload needs watchfiles: pip install 'offhook[reload]'") from None

    async def names() -> AsyncIterator[str]:
        try:
            async for changed in awatch(folder, watch_filter=PythonFilter(), debounce=DEBOUNCE):
                yield min(path for _, path in changed)
        except (OSError, RuntimeError) as error:  # watchfiles has a RuntimeError of its own for a full inotify
            raise ConfigurationError(f"--reload cannot watch {folder}: {error}; leave it off") from None

    return names()
