"""A stranger's plugin, just as the page about plugins has it: installed in a folder, named, and examined in full."""

import importlib
import re
import sys
import tomllib
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any

import pytest

from offhook import Agent
from offhook.errors import ConfigurationError
from offhook.providers import registry
from offhook.providers.interfaces import Transcriber
from offhook.simulator.conformance import CHECKS, run
from offhook.simulator.conformance.suite import Check

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "plugins.md").read_text(encoding="utf-8")
FILES: dict[str, str] = dict(re.findall(r"^```python (\w+\.py)\n(.*?)^```", PAGE, re.M | re.S))
TOML = re.findall(r"^```toml\n(.*?)^```", PAGE, re.M | re.S)
EVERY_CHECK = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as installers leave it: the plugin's file, and what its `pyproject.toml` announces as metadata."""
    folder = tmp_path_factory.mktemp("site-packages")
    for name, source in FILES.items():
        (folder / name).write_text(source, encoding="utf-8")
    metadata = folder / "offhook_acme-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: offhook-acme\nVersion: 1.0\n")
    [announced] = TOML
    groups: dict[str, dict[str, str]] = tomllib.loads(announced)["project"]["entry-points"]
    lines = [line for group, names in groups.items() for line in (f"[{group}]", *map(" = ".join, names.items()))]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    yield folder
    sys.path.remove(str(folder))
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


@pytest.mark.usefixtures("site")
@EVERY_CHECK
def test_the_page_s_plugin_conforms_under_its_name(check: Check) -> None:
    example: Any = importlib.import_module("test_acme")

    class Named(example.Acme):  # type: ignore[misc]
        """The same, but found as an agent finds it."""

        def make(self) -> Transcriber:
            agent = Agent(stt=f"acme/127.0.0.1:{self.port}", llm="scripted")
            [ear] = registry.transcribers(agent.stt)
            assert type(ear).__module__ == "offhook_acme"
            return ear

    run(check, lambda: Named(None))


@pytest.mark.usefixtures("site")
def test_the_page_s_own_test_runs() -> None:
    example: Any = importlib.import_module("test_acme")
    example.test_acme_conforms(CHECKS[1])


@pytest.mark.usefixtures("site")
def test_a_plugin_s_complaint_about_its_name_is_what_is_read() -> None:
    with pytest.raises(ConfigurationError, match="say where Acme listens"):
        registry.transcriber("acme")


def test_every_check_is_on_the_page() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.split("| check |")[1], re.M))
    assert rows == {check.__name__: " ".join((getdoc(check) or "").split()) for check in CHECKS}
