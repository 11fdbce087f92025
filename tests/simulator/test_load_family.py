"""What a server and its workers have used."""

import os
import subprocess
import sys

import pytest

from offhook.simulator.load.family import cpu, family, memory, waited
from offhook.simulator.load.usage import Usage

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "print('here', flush=True); input()"], stdin=subprocess.PIPE)
input()
child.communicate(b"\\n")
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="this system has no /proc")  # noqa: PTH110
@pytest.mark.wall_clock
def test_children_are_found() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        found = family(process.pid)
        assert process.pid in found
        assert len(found) == 2
        assert memory(found) > max(each.memory for each in found.values())
        assert len(family(os.getpid())) >= 3, "and children's children"
        process.communicate(b"\n")
    assert family(process.pid) == {}


def test_whoever_began_meanwhile_counts_and_who_has_ended_does_not() -> None:
    before = {1: Usage(5.0, 1.0, 100), 2: Usage(7.0, 0.0, 100)}
    after = {1: Usage(6.0, 1.5, 200), 3: Usage(0.25, 0.25, 50)}
    assert cpu(before, after) == 1.25
    assert waited(before, after) == 0.5
    assert memory(after) == 250
