"""The documentation names everything there is, its links lead somewhere, and its examples are Python."""

import re
from pathlib import Path
from typing import get_args

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
REFERENCE = ROOT / "docs" / "reference"
EXAMPLES = [
    pytest.param(code, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, code in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))
]


def test_every_public_name_is_in_the_reference() -> None:
    import offhook

    assert sorted(offhook.__all__) == sorted(_headings("public-names.md") | {"__version__"} & set(offhook.__all__))
    for name in offhook.__all__:
        assert getattr(offhook, name), name


def test_every_setting_is_in_the_reference_with_its_default() -> None:
    from offhook.settings import Settings

    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        variable = str(field.validation_alias or f"OFFHOOK_{name.upper()}")
        default = _shown(field.default)
        assert f"| `{variable}` | {f'`{default}` ' if default else ''}|" in text, variable


def test_the_reference_names_no_setting_that_does_not_exist() -> None:
    from offhook.settings import Settings

    known = {f"OFFHOOK_{name.upper()}" for name in Settings.model_fields} | {"OFFHOOK_RECORDINGS"}
    for page in PAGES:
        named = set(re.findall(r"OFFHOOK_[A-Z_]+[A-Z]", page.read_text(encoding="utf-8")))
        assert named <= known, page


def test_every_verb_and_option_is_in_the_reference() -> None:
    import typer

    from offhook.cli.main import app

    text = (REFERENCE / "cli.md").read_text(encoding="utf-8")
    verbs = getattr(typer.main.get_command(app), "commands")  # noqa: B009 - click's own type does not say so
    assert {f"`offhook {name}`" for name in verbs} == {f"`{name}`" for name in re.findall(r"^## `(.+)`$", text, re.M)}
    for name, verb in verbs.items():
        section = text.split(f"## `offhook {name}`\n")[1].split("\n## ")[0]
        for option in {option for parameter in verb.params for option in parameter.opts if option.startswith("--")}:
            assert f"`{option}" in section, f"{name} {option}"


def test_every_input_and_output_of_a_call_is_in_the_reference() -> None:
    from offhook.call.inputs import Input
    from offhook.call.outputs import Output

    text = (REFERENCE / "events.md").read_text(encoding="utf-8")
    for kind in (*get_args(Input), *get_args(Output)):
        assert f"| `{kind.__name__}` |" in text, kind.__name__


def test_every_wait_of_turn_taking_is_in_the_theory_with_its_default() -> None:
    from offhook.turns.patience import Patience

    text = (ROOT / "docs" / "theory" / "turn-taking.md").read_text(encoding="utf-8")
    for name in set(Patience.__struct_fields__) - {"none"}:
        assert f"| `{name}` | {getattr(Patience(), name) / 1_000:,.0f} ms |" in text, name


def test_every_dependency_is_justified_in_the_readme() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in [*project["dependencies"], *project["optional-dependencies"]["demo"]]:
        name = re.split(r"[<>=;\[ ]", line)[0]
        assert f"| {name} |" in text, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), f"{page}: {target}"


def test_every_page_can_be_found_from_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        assert page.name == "index.md" or f"({page.relative_to(ROOT / 'docs').as_posix()})" in index, page


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_run(code: str) -> None:
    """As far as one can without a call: what they import exists, and what they make can be made."""
    exec(compile(code, "example.py", "exec"), {"__name__": "example"})


def _shown(default: object) -> str:
    """A setting's default as somebody would write it into the environment; "" where there is none."""
    if isinstance(default, bool):
        return str(default).lower()
    return f"{default:g}" if isinstance(default, float) else str(default or "")


def _headings(page: str) -> set[str]:
    """The names that a page of the reference has a section for."""
    return set(re.findall(r"^## `(\w+)`$", (REFERENCE / page).read_text(encoding="utf-8"), re.MULTILINE))
