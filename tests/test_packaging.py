"""What is installed starts fast, pulls in nothing that it does not need, and is complete."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
NEEDED = [*PROJECT["project"]["dependencies"], *(line for extra in EXTRAS.values() for line in extra)]
RUNS = 5
"""The best of so many runs counts: what else the machine does is not ours."""

TIMED_IMPORT = "import time; began = time.perf_counter(); import offhook; print(time.perf_counter() - began)"
IMPORTED = "import sys; before = set(sys.modules); import offhook; print(*sorted(set(sys.modules) - before))"
TIMED_COMMAND = """
import subprocess, sys, time
began = time.perf_counter()
subprocess.run([sys.executable, *sys.argv[1:]], check=True, stdout=subprocess.DEVNULL)
print(time.perf_counter() - began)
"""


def test_importing_takes_less_than_a_tenth_of_a_second() -> None:
    best = min(float(_python("-c", TIMED_IMPORT)) for _ in range(RUNS))
    assert best < 0.1


def test_importing_pulls_in_nobody_elses_package() -> None:
    modules = {name.split(".")[0] for name in _python("-c", IMPORTED).split()}
    assert "offhook" in modules
    assert not modules & (packages_distributions().keys() - {"offhook"})
    assert not modules & {"asyncio", "logging", "ssl", "email", "http"}


def test_help_takes_less_than_four_tenths_of_a_second() -> None:
    ask = ["-c", "from offhook.cli.main import main; main()", "--help"]
    best = min(float(_python("-c", TIMED_COMMAND, *ask)) for _ in range(RUNS))
    assert best < 0.4


def test_the_version_is_told() -> None:
    import offhook

    assert offhook.__version__ == PROJECT["project"]["version"]


@pytest.mark.parametrize("name", PROJECT["project"]["license-files"])
def test_licences_travel_with_the_package(name: str) -> None:
    assert (ROOT / name).is_file()


def test_the_data_of_the_voice_detector_lies_in_the_package() -> None:
    """The wheel holds whatever lies in the package's folder and is not ignored by git."""
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["src/offhook"]
    data = [path.name for path in (ROOT / "src" / "offhook" / "runtime" / "data").iterdir()]
    assert "NOTICE.silero" in data
    assert [name for name in data if name.endswith(".npz")]
    assert "*.npz" not in (ROOT / ".gitignore").read_text(encoding="utf-8")


@pytest.mark.parametrize("needed", [line for line in NEEDED if not line.startswith("offhook")])
def test_whatever_is_needed_is_pinned(needed: str) -> None:
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE))
    pinned = {_canonical(name) for name in pins}
    assert _canonical(re.split(r"[<>=;\[ ]", needed)[0]) in pinned


def test_pins_name_versions_and_no_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.]+", line)]


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _python(*arguments: str) -> str:
    run = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, cwd=ROOT)
    return run.stdout
