"""An agent's file: what is found in it, and what is said of one that does not load."""

from pathlib import Path

import pytest

from offhook.agent import Agent
from offhook.errors import ConfigurationError
from offhook.runtime.agentfile import load_agent

GOOD = "from offhook import Agent\nagent = Agent(llm='scripted')\nnight = Agent(llm='scripted')\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "booking.py"


def test_the_agent_is_found_by_its_usual_name_or_by_another(file: Path) -> None:
    file.write_text(GOOD)
    assert isinstance(load_agent(str(file)), Agent)
    assert isinstance(load_agent(f"{file}:night"), Agent)


def test_a_function_may_answer_and_modules_beside_the_file_are_found(file: Path) -> None:
    (file.parent / "beside_booking.py").write_text("NAME = 'x'\n")
    file.write_text("from beside_booking import NAME\nasync def answer(call):\n    return NAME\n")
    assert callable(load_agent(str(file)))


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("import nowhere_to_be_found\n", "", ["booking.py:1", "ModuleNotFoundError", "nowhere_to_be_found"]),
        ("x = 1\ny = x / 0\n", "", ["booking.py:2", "ZeroDivisionError"]),
        ("def broken(:\n", "", ["booking.py:1", "SyntaxError"]),
        ("from offhook import Agent\nAgent()\n", "", ["booking.py:2", "llm="]),
        ("import sys\nsys.exit(3)\n", "", ["ends the program itself"]),
        ("bot = 1\n_hidden = 2\n", "", ['no agent named "agent" or "answer"', "bot"]),
        (GOOD.replace("agent =", "day ="), "", ["day, night", "booking.py:day"]),
        (GOOD, "noon", ['no agent named "noon"', "agent, night"]),
        ("agent = 42\n", "", ["no agent named"]),
        ("class answer: ...\n", "", ["no agent named"]),
    ],
)
def test_what_is_said_of_a_file_that_does_not_do(file: Path, text: str, name: str, words: list[str]) -> None:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_agent(f"{file}:{name}" if name else str(file))
    said = str(caught.value)
    assert all(each in said for each in words), said
    assert "\n" not in said
    assert "_hidden" not in said


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file"):
        load_agent(str(tmp_path / "nobody.py"))
