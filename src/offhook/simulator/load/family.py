"""What a process and all that it began have used: a server's workers are part of it. Linux only, as `usage`."""

from collections import defaultdict
from pathlib import Path

from offhook.simulator.load.usage import Usage, usage

Family = dict[int, Usage]
"""By process id."""


def family(pid: int) -> Family:
    """The process and its descendants; empty where there is no such process."""
    children = _children()
    found, wanted = {}, [pid]
    while wanted:
        each = wanted.pop()
        wanted += children[each]
        if used := usage(each):
            found[each] = used
    return found


def _children() -> defaultdict[int, list[int]]:
    """Of every process on this machine."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = file.read_text().rpartition(")")[2].split()[1]
        except OSError:  # it has ended meanwhile
            continue
        found[int(parent)].append(int(file.parent.name))
    return found


def cpu(before: Family, after: Family) -> float:
    """Seconds that have been used between, by whoever is still there."""
    return sum(now.cpu - (before[pid].cpu if pid in before else 0.0) for pid, now in after.items())


def waited(before: Family, after: Family) -> float:
    """Seconds that the process which wanted a core most had none."""
    return max(now.waited - (before[pid].waited if pid in before else 0.0) for pid, now in after.items())


def memory(used: Family) -> int:
    """Bytes that they hold; what they share is counted for each."""
    return sum(each.memory for each in used.values())
