"""What a caller may say at any question."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.commands import Command, command


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("repeat", Command.REPEAT),
        ("Could you say that again, please?", Command.REPEAT),
        ("Sorry, what was that?", Command.REPEAT),
        ("operator", Command.OPERATOR),
        ("um, I'd like to speak to a person please", Command.OPERATOR),
        ("An agent.", Command.OPERATOR),
        ("Goodbye!", Command.GOODBYE),
        ("okay, that's all, thanks", Command.GOODBYE),
        ("help", Command.HELP),
        ("What can I say?", Command.HELP),
        ("thanks", None),
        ("", None),
        ("the operator of this machine", None),
        ("two people", None),
    ],
)
def test_command(said: str, meant: Command | None) -> None:
    assert command(said) is meant


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    assert command(text) in (None, *Command)
