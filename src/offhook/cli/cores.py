"""How many cores this process may use: what the machine has, less what it is denied."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def cores(system: Path = Path("/")) -> int:
    """At least one. The processor affinity counts, and so does a container's CPU limit (cgroup v2), rounded down: a
    group that has used up its time stands still for the rest of 100 ms, with all its calls.
    """
    return max(1, min([_processors(), *_limits(system)]))


def _processors() -> int:
    if hasattr(os, "process_cpu_count"):
        return os.process_cpu_count() or 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _limits(system: Path) -> Iterator[int]:
    """Those of this process's group and of the groups that it is in, where they have any. `cpu.max` holds the time that
    may be used in each period (https://docs.kernel.org/admin-guide/cgroup-v2.html).
    """
    top = system / "sys/fs/cgroup"
    with suppress(OSError):
        for line in (system / "proc/self/cgroup").read_text().splitlines():
            hierarchy, _, group = line.partition("::/")
            inner = top / group
            for each in (inner, *inner.parents) if hierarchy == "0" else ():
                if each.is_relative_to(top) and (each / "cpu.max").is_file():
                    time, period = (each / "cpu.max").read_text().split()
                    if time != "max":
                        yield int(time) // int(period)
