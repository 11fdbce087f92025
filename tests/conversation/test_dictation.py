"""Rows of digits and letters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.dictation import dictating


@pytest.mark.parametrize("text", ["four one five", "my number is 415 555", "b r a", "it is oh seven nine", "90210"])
def test_a_row_of_digits_or_letters_is_dictated(text: str) -> None:
    assert dictating(text)


@pytest.mark.parametrize(
    "text", ["two people", "at two p m", "10:30", "room five", "room 405", "in 2024", "at 7 30", "i have a plan", ""]
)
def test_a_number_alone_is_not(text: str) -> None:
    assert not dictating(text)


def test_the_last_word_of_a_row_may_be_misheard() -> None:
    assert not dictating("four one five please")
    assert dictating("four one five six blurb")


@given(st.text())
def test_whatever_was_said(text: str) -> None:
    assert dictating(text) in (True, False)
