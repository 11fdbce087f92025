"""What a process holds on to: tasks, threads, open files and sockets, child processes."""

import asyncio
import gc
import threading
from pathlib import Path
from typing import NamedTuple

_OPEN = Path("/dev/fd")
_THREADS = Path("/proc/self/task")
"""Where Linux lists each thread's children. Elsewhere children are seen by their pipes."""


class Residue(NamedTuple):
    """How many there are of each."""

    tasks: int
    threads: int
    files: int
    children: int

    def more_than(self, before: "Residue") -> str:
        """What has grown, in words; "" for nothing."""
        counts = zip(self._fields, self, before, strict=True)
        return ", ".join(f"{now - then} {name}" for name, now, then in counts if now > then)


def residue() -> Residue:
    """Count, after what was thrown away of late has gone."""
    gc.collect(1)
    return count()


def count() -> Residue:
    """Count what is there."""
    return Residue(
        len(asyncio.all_tasks()),
        threading.active_count(),
        len(list(_OPEN.iterdir())) if _OPEN.exists() else 0,
        sum(len(_children(thread).split()) for thread in _THREADS.glob("*/children")),
    )


def _children(thread: Path) -> str:
    try:
        return thread.read_text()
    except OSError:
        return ""
