"""Every built-in provider does what every provider must do."""

import importlib.util
from collections.abc import Callable

import pytest
from subjects import SUBJECTS

from offhook.simulator.conformance import CHECKS, Subject, run
from offhook.simulator.conformance.suite import Check

NEEDED = {"pocketsphinx": "pocketsphinx", "espeak": "espeakng_loader"}


def needs(name: str) -> list[pytest.MarkDecorator]:
    package = "openai" if name.endswith("sdk") else NEEDED.get(name)
    missing = package is not None and importlib.util.find_spec(package) is None
    return [pytest.mark.skip(reason=f"no {package}")] if missing else []


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("subject", [pytest.param(make, id=name, marks=needs(name)) for name, make in SUBJECTS.items()])
def test_it_conforms(check: Check, subject: Callable[[], Subject]) -> None:
    run(check, subject)
