"""How many workers are begun where nobody says."""

import os
from pathlib import Path

import pytest

from offhook.cli.cores import cores

MANY = 10_000
"""More than any machine has: only then is it the limit that is seen, and not the machine."""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """One with so many cores, and with cgroups. This process is in /pod/box."""
    monkeypatch.setattr(os, "process_cpu_count", lambda: MANY, raising=False)
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text("4:memory:/elsewhere\n0::/pod/box\n")
    (tmp_path / "sys/fs/cgroup/pod/box").mkdir(parents=True)
    return tmp_path


def limit(machine: Path, group: str, words: str) -> None:
    (machine / "sys/fs/cgroup" / group / "cpu.max").write_text(words + "\n")


def test_without_limits_it_is_what_the_machine_has(machine: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert cores(machine) == cores(tmp_path_factory.mktemp("old")) == MANY
    limit(machine, "pod/box", "max 100000")
    assert cores(machine) == MANY


@pytest.mark.parametrize(("words", "count"), [("400000 100000", 4), ("350000 100000", 3), ("20000 100000", 1)])
def test_a_limit_counts_in_whole_cores(machine: Path, words: str, count: int) -> None:
    limit(machine, "pod/box", words)
    assert cores(machine) == count


def test_the_smallest_limit_counts_whichever_group_has_it(machine: Path) -> None:
    limit(machine, "pod/box", "600000 100000")
    limit(machine, "pod", "250000 50000")
    assert cores(machine) == 5
    limit(machine, "", "200000 100000")
    assert cores(machine) == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system binds no process to a core")
def test_the_affinity_counts(tmp_path: Path) -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cores(tmp_path) == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert cores(tmp_path) == len(allowed)
