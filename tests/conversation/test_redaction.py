"""What must not be written down is not."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offhook.conversation.redaction import HIDDEN, Redaction
from offhook.errors import ConfigurationError


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("My card is 4242 4242 4242 4242.", "My card is [digits]."),
        ("Call +1 (555) 010-9999, please", "Call +[digits], please"),
        ("4, 2, 4, 2", "[digits]"),
        ("four two, four-two double one", "[digits]"),
        ("Forty two forty two", "[digits]"),
        ("it is oh 5 five 5", "it is [digits]"),
        ("x1234y", "x[digits]y"),
        ('{"code": "4\u200b2\u00a04\u20132"}', '{"code": "[digits]"}'),
        ("٤٢٤٢", "[digits]"),
        ("Room 204 at 12:30 for 25 dollars", "Room 204 at 12:30 for 25 dollars"),
        ("anyone, no one, someone, everyone", "anyone, no one, someone, everyone"),
        ("one of those two or three", "one of those two or three"),
        ("", ""),
    ],
)
def test_digits(said: str, written: str) -> None:
    assert Redaction().hide(said) == written
    assert Redaction(digits=False).hide(said) == said


def test_patterns_hide_what_they_name() -> None:
    redaction = Redaction(patterns={"card": r"\b(?:\d{4} ?){4}\b", "mail": r"\S+@\S+"})
    assert redaction.hide("4242 4242 4242 4242 is A@b.DE's; 123456") == "[card]is [mail] [digits]"
    assert Redaction(digits=False, patterns={"name": "smith"}).hide("Mr. SMITH 12345") == "Mr. [name] 12345"
    assert Redaction(patterns={r"\1": "x"}).hide("x") == r"[\1]"


@pytest.mark.parametrize("pattern", ["(", "a**", "(?P<n>a)(?P<n>b)", "x*", ""])
def test_a_pattern_that_is_none_is_said_in_one_line(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="card") as caught:
        Redaction(patterns={"card": pattern})
    assert "\n" not in str(caught.value)


pieces = st.sampled_from(
    [*"0123456789", "four", "two", "Oh", "room", "€", " ", " ", "-", ", ", ".", "/", "\n", "(", "'"]
)


@given(st.one_of(st.lists(pieces).map("".join), st.text()))
@example("1" * 1_000)
@example("1 2 3" + " " * 1_000 + "4")
@example("0000four000")
def test_no_run_of_digits_is_left(text: str) -> None:
    written = Redaction().hide(text)
    joined = re.sub(r"[\s.,;/()+*#'\"_-]", "", written)
    assert not re.search(r"\d{4}", joined)
    assert Redaction().hide(written) == written


@given(st.text(alphabet="0123456789 -,", min_size=1))
def test_nothing_else_is_hidden(text: str) -> None:
    assert (HIDDEN in Redaction().hide(text)) == (sum(letter.isdigit() for letter in text) >= 4)


@pytest.mark.parametrize("unit", ["1 ", "1 2 3 a", "one ", "one, ", "1" + "," * 300 + "a", "twenty", "o"])
def test_it_takes_a_time_in_proportion_to_the_text(unit: str) -> None:
    """What takes the square of it would never end with these."""
    assert len(Redaction().hide(unit * (300_000 // len(unit)))) <= 300_000 + len(HIDDEN)
