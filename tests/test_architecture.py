"""The house rules hold over the source, and each rule is shown to find what breaks it."""

from pathlib import Path

import pytest

import house_checks
import house_rules
from house import Broken, House

SOURCE = Path(__file__).parents[1] / "src" / "offhook"


@pytest.fixture(scope="module")
def house() -> House:
    return House(SOURCE)


@pytest.mark.parametrize("rule", house_checks.RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps(rule: house_checks.Rule, house: House) -> None:
    broken = list(rule(house))
    assert not broken, "\n" + "\n".join(map(str, broken))


def test_the_house_was_read(house: House) -> None:
    rooms = {module.room for module in house}
    assert rooms >= house_rules.FOUNDATION | house_rules.PURE | {"call", "providers", "runtime"}
    assert house.named["offhook.call.outputs"] >= {"offhook.carrier.commands", "offhook.values"}
    assert "offhook.carrier" in house.loaded["offhook.call.outputs"]


def test_the_table_of_rooms_has_no_ring() -> None:
    """Whoever may be imported may be reached without meeting oneself: the rooms can be drawn as floors."""
    standing = dict(house_rules.MAY_IMPORT)
    while standing:
        ground = {room for room, below in standing.items() if not below & standing.keys()}
        assert ground, f"these rooms may import each other in a ring: {sorted(standing)}"
        standing = {room: below for room, below in standing.items() if room not in ground}


def test_doors_do_not_look_into_each_other() -> None:
    for door in house_rules.DOORS - {"cli"}:
        assert not house_rules.MAY_IMPORT[door] & house_rules.DOORS


LONG = "\n".join(f"    a{number} = {number}" for number in range(41))
# (rule, {file: source}, a part of what the rule says about them; "" where it must find nothing)
PLANTED: list[tuple[str, dict[str, str], str]] = [
    ("unknown_rooms", {"attic/box.py": ""}, "attic/box.py:1: the room 'attic'"),
    (
        "imports_between_rooms",
        {"turns/a.py": "import offhook.carrier.events"},
        "turns/a.py:1: turns may not import carrier",
    ),
    (
        "imports_between_rooms",
        {"turns/a.py": "\ndef f():\n    from offhook import audio"},
        "turns/a.py:3: turns may not",
    ),
    ("imports_between_rooms", {"turns/a.py": "from ..audio import mulaw"}, "turns/a.py:1: turns may not import audio"),
    ("imports_between_rooms", {"server/a.py": "from offhook.cli.main import main"}, "server may not import cli"),
    ("imports_between_rooms", {"call/a.py": "from offhook import Agent"}, "call may not import __init__"),
    (
        "imports_between_rooms",
        {"storage/a.py": "import importlib\nimportlib.import_module('offhook.providers')"},
        "a.py:2",
    ),
    ("imports_between_rooms", {"call/a.py": "from offhook.turns import table\nfrom offhook.values import Value"}, ""),
    ("imports_between_rooms", {"__init__.py": "def __getattr__(name):\n    from offhook import agent"}, ""),
    (
        "imports_for_types_only",
        {"call/a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from offhook.turns import table"},
        "call/a.py:3: offhook.turns.table is imported under TYPE_CHECKING",
    ),
    (
        "late_imports",
        {"runtime/a.py": "def f():\n    import offhook.call"},
        "runtime/a.py:2: offhook.call is imported inside",
    ),
    ("late_imports", {"runtime/a.py": "def f():\n    import numpy"}, "runtime/a.py:2: numpy is imported inside f()"),
    ("late_imports", {"call/a.py": "import importlib\nimportlib.import_module(name)"}, "call/a.py:2: nobody can see"),
    ("late_imports", {"providers/a.py": "import soxr"}, "providers/a.py:1: soxr is heavy"),
    (
        "late_imports",
        {"providers/a.py": "def f():\n    import soxr", "cli/b.py": "def f():\n    import offhook.call"},
        "",
    ),
    (
        "cycles",
        {"turns/a.py": "from offhook.turns import b", "turns/b.py": "def f():\n    from offhook.turns.a import x"},
        "turns/a.py:1: imports itself: offhook.turns.a -> offhook.turns.b -> offhook.turns.a",
    ),
    (
        "cycles",
        {
            "turns/__init__.py": "from offhook.turns.a import x",
            "turns/a.py": "import offhook.turns.b",
            "turns/b.py": "",
        },
        "",
    ),
    (
        "reach_of_pure_rooms",
        {"audio/a.py": "import offhook.values", "values.py": "import offhook.timebase", "timebase.py": "import random"},
        "audio/a.py:1: reaches an effect: offhook.audio.a -> offhook.values -> offhook.timebase -> random",
    ),
    (
        "reach_of_pure_rooms",
        {
            "call/a.py": "import offhook.turns.b",
            "turns/__init__.py": "import offhook.runtime",
            "runtime/__init__.py": "",
        },
        "call/a.py:1: reaches a room with effects: offhook.call.a -> offhook.turns -> offhook.runtime",
    ),
    ("purity", {"turns/a.py": "def f():\n    import asyncio"}, "turns/a.py:2: asyncio is not on the list"),
    ("purity", {"call/a.py": "import numpy"}, "call/a.py:1: numpy is not on the list"),
    ("purity", {"audio/a.py": "import numpy as np\nnp.random.default_rng()"}, "audio/a.py:2: numpy.random"),
    ("purity", {"errors.py": "print('x')"}, "errors.py:1: print() in a room without effects"),
    ("purity", {"carrier/a.py": "from io import open as o\no('x')"}, "carrier/a.py:2: io.open()"),
    ("purity", {"call/a.py": "async def f(): ..."}, "call/a.py:1: async"),
    ("purity", {"call/a.py": "def f():\n    global x"}, "call/a.py:2: global state"),
    (
        "purity",
        {"audio/a.py": "import numpy as np\nfrom math import pi\nx = np.sin(pi)", "runtime/a.py": "import os"},
        "",
    ),
    (
        "clock_reads",
        {"runtime/a.py": "import time as t\nt.monotonic()"},
        "runtime/a.py:2: time.monotonic reads a clock",
    ),
    ("clock_reads", {"server/a.py": "from time import time\nclock = time"}, "server/a.py:2: time.time reads a clock"),
    (
        "clock_reads",
        {"call/a.py": "from datetime import datetime\ndatetime.now()"},
        "datetime.datetime.now reads a clock",
    ),
    ("clock_reads", {"runtime/a.py": "import asyncio\nasyncio.get_running_loop().time()"}, "the event loop's clock"),
    ("clock_reads", {"runtime/clock.py": "import time\ntime.monotonic()", "call/a.py": "self.media.time"}, ""),
    ("environment_reads", {"cli/a.py": "import os\nos.environ['X']"}, "cli/a.py:2: os.environ"),
    ("environment_reads", {"cli/a.py": "from os import getenv\ngetenv('X')"}, "cli/a.py:2: os.getenv"),
    ("environment_reads", {"cli/a.py": "import typer\ntyper.Option(envvar='X')"}, "cli/a.py:2: envvar="),
    ("environment_reads", {"settings.py": "import os\nos.environ"}, ""),
    ("broad_excepts", {"server/a.py": "try: f()\nexcept Exception: pass"}, "server/a.py:2: everything is caught"),
    ("broad_excepts", {"server/a.py": "try: f()\nexcept (OSError, BaseException): pass"}, "server/a.py:2: everything"),
    ("broad_excepts", {"server/a.py": "try: f()\nexcept: pass"}, "server/a.py:2: everything is caught"),
    (
        "broad_excepts",
        {"cli/a.py": "import contextlib\ncontextlib.suppress(Exception)"},
        "cli/a.py:2: everything is caught",
    ),
    (
        "broad_excepts",
        {"runtime/a.py": "try: f()\nexcept Exception: pass", "cli/a.py": "try: f()\nexcept OSError: ..."},
        "",
    ),
    ("broad_excepts", {"cli/a.py": "try: f()\nexcept BaseException:\n    tidy()\n    raise"}, ""),
    ("first_lines", {"call/a.py": "x = 1"}, "call/a.py:1: the first line does not say"),
    ("file_lengths", {"turns/a.py": "#\n" * 301}, "turns/a.py:301: 301 lines, 300 at most"),
    ("file_lengths", {"call/call.py": "#\n" * 251}, "call/call.py:251: 251 lines, 250 at most"),
    ("file_lengths", {"turns/a.py": "#\n" * 300}, ""),
    (
        "function_lengths",
        {"turns/a.py": f"class C:\n  def f():\n{LONG}"},
        "turns/a.py:2: C.f() has 42 lines, 40 at most",
    ),
    ("function_lengths", {"turns/a.py": "def f():\n    '''" + "\n" * 60 + "    '''\n    return 1"}, ""),
]


@pytest.mark.parametrize(("rule", "files", "found"), PLANTED, ids=[f"{rule}-{text[:40]}" for rule, _, text in PLANTED])
def test_a_rule_finds_what_breaks_it(rule: str, files: dict[str, str], found: str, tmp_path: Path) -> None:
    broken = _check(rule, files, tmp_path)
    if found:
        assert any(found in str(one) for one in broken), broken
    else:
        assert not broken


def test_an_exception_that_is_no_longer_needed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(house_rules.LONG_FILES, "turns/a.py", "it was long once")
    monkeypatch.setitem(house_rules.LONG_FUNCTIONS, "turns/a.py::f", "so was this")
    broken = [
        one for one in _check("needless_exceptions", {"turns/a.py": "def f(): ..."}, tmp_path) if "turns/a" in one.path
    ]
    assert [one.rule for one in broken] == [
        "is listed in LONG_FILES, but is not long",
        "f is listed in LONG_FUNCTIONS, but is not long",
    ]


def test_a_named_exception_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"turns/a.py": f"def f():\n{LONG}"}
    assert _check("function_lengths", files, tmp_path)
    monkeypatch.setitem(house_rules.LONG_FUNCTIONS, "turns/a.py::f", "a reason")
    assert not _check("function_lengths", files, tmp_path)


def test_every_rule_is_shown_to_find_something() -> None:
    shown = {rule for rule, _, text in PLANTED if text} | {"needless_exceptions"}
    assert shown == {rule.__name__ for rule in house_checks.RULES}


def _check(rule: str, files: dict[str, str], folder: Path) -> list[Broken]:
    """What one rule says about a small house made of `files`."""
    for path, source in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(source, encoding="utf-8")
    return list(getattr(house_checks, rule)(House(folder)))
