"""Numbers in words and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.numbers import LARGEST, digits, number, ordinal, spell, spell_digits, spell_ordinal


@given(st.integers(0, LARGEST))
def test_a_spelled_number_is_read_back(value: int) -> None:
    assert number(spell(value).split()) == value


@given(st.text("0123456789", min_size=1))
def test_spelled_digits_are_read_back(value: str) -> None:
    assert digits(spell_digits(value).split()) == value


@pytest.mark.parametrize("day", range(1, 32))
def test_a_spelled_ordinal_is_read_back(day: int) -> None:
    assert ordinal(spell_ordinal(day).split()) == day


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("a hundred and five", 105),
        ("fifteen hundred", 1500),
        ("two thousand and six", 2006),
        ("007", 7),
        ("five twenty", None),
        ("one two", None),
        ("hundred", None),
        ("two hundred hundred", None),
        ("twenty eleven", None),
        ("", None),
    ],
)
def test_only_whole_numbers_are_numbers(said: str, value: int | None) -> None:
    assert number(said.split()) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("double five oh", "550"),
        ("triple 0 seven", "0007"),
        ("415 dash twenty five", "41525"),
        ("one eight hundred", "1800"),
        ("fifteen sixteen", "1516"),
        ("٣", "3"),
        ("double", None),
        ("double twenty", None),
        ("five people", None),
        ("and", None),
    ],
)
def test_dictated_digits(said: str, value: str | None) -> None:
    assert digits(said.split()) == value


@given(st.lists(st.sampled_from(str.split("0 12 five twenty hundred thousand double triple and a oh x")), max_size=8))
def test_no_sequence_of_words_is_an_error(words: list[str]) -> None:
    number(words)
    assert (digits(words) or "0").isdecimal()
