"""What a process has used, as Linux tells it in `/proc`; nothing where there is no `/proc` or no such process."""

import os
from pathlib import Path

from offhook.values import Value


class Usage(Value, frozen=True):
    """Since the process began. `waited`: for how long its main thread could have run but had no core; times in seconds.
    `memory`: the bytes that it holds."""

    cpu: float
    waited: float
    memory: int


def usage(pid: int) -> Usage | None:
    """What a process has used so far."""
    folder = Path("/proc", str(pid))
    try:
        # The second field is the program's name, which may hold anything, brackets too.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        waited = int((folder / "schedstat").read_text().split()[1]) / 1e9
        pages = int((folder / "statm").read_text().split()[1])
    except OSError:
        return None
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), waited, pages * os.sysconf("SC_PAGE_SIZE"))
