"""Kinds of answers: what they understand, how they are keyed, and that they are ready for the tape."""

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.answers import Answer, Anything, Day, Digits, HowLong, OneOf, Quantity, TimeOfDay, YesNo
from offhook.errors import ConfigurationError

CITIES = OneOf(("Mountain View", "new york", "room 5"), {"new york": ("the big apple", "NYC")})
KINDS: list[Answer] = [
    YesNo(),
    CITIES,
    Digits(),
    Digits(4),
    Quantity(1, 20),
    Quantity(0, 500, "boxes"),
    Day(),
    TimeOfDay(),
    HowLong(),
    Anything(),
]
WORDS = str.split(
    "two 2 thirty 30 2:30 pm p.m. half past to noon an hour hours minutes people for at in please yes no "
    "uh the third march monday next today tomorrow five double oh and a half hundred mountain view new "
    "york o'clock of us me just 1.5"
)
NO_ANSWERS = (
    "drop the two when you add the figures",
    "sunday is the best part of the week",
    "the child almost hurt the small dog",
    "at that high level the air is pure",
    "how old is the brooklyn bridge",
    "what's the weather like",
    "he was not an ill disposed young man",
    "ten of clubs",
    "eight of spades four of clubs seven of hearts",
    "Thanks for calling today",
    "go forward ten meters",
    "wreck a nice beach",
    "Press 1 for yes, or 2 for no.",
    "a thin stripe runs down the middle",
)


@pytest.mark.parametrize("answer", [kind for kind in KINDS if not isinstance(kind, Anything)], ids=repr)
@pytest.mark.parametrize("said", NO_ANSWERS)
def test_an_unrelated_sentence_is_no_answer(answer: Answer, said: str) -> None:
    assert answer.parse(said) is None


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Yes, please.", "yes"),
        ("um yes", "yes"),
        ("Uh-huh.", "yes"),
        ("That’s right!", "yes"),
        ("Nope", "no"),
        ("no, thank you", "no"),
        ("yes no", None),
        ("", None),
        ("I don't think so much", None),
    ],
)
def test_yes_and_no(said: str, value: str | None) -> None:
    assert YesNo().parse(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("in Mountain View, please", "Mountain View"),
        ("the Big Apple", "new york"),
        ("n.y.c.", None),
        ("NYC", "new york"),
        ("Room five", "room 5"),
        ("mountain", None),
        ("not new york", None),
    ],
)
def test_choices(said: str, value: str | None) -> None:
    assert CITIES.parse(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("two people please", "2"),
        ("it's for two people", "2"),
        ("For 2 people.", "2"),
        ("just me", "1"),
        ("there are four of us", "4"),
        ("the two of us", "2"),
        ("a couple", "2"),
        ("a dozen people", "12"),
        ("one person", "1"),
        ("four", "4"),
        ("twenty one", None),
        ("five five", None),
        ("ten to fifteen people", None),
    ],
)
def test_quantities(said: str, value: str | None) -> None:
    assert Quantity(1, 20).parse(said) == value


def test_digits_need_their_count() -> None:
    assert Digits(3).parse("four one five") == "415"
    assert Digits(3).parse("It's 4-1-5, thanks") == "415"
    assert Digits(3).parse("four one") is None
    assert Digits().parse("one zero zero oh double one") == "100011"


def test_anything_is_taken_as_it_is_but_for_hesitation() -> None:
    assert Anything().parse("  My  name is Ann. ") == "My name is Ann."
    assert Anything().parse("um, uh") is None


@pytest.mark.parametrize(
    ("answer", "keys", "value"),
    [
        (YesNo(), "1", "yes"),
        (YesNo(), "2", "no"),
        (YesNo(), "3", None),
        (CITIES, "1", "Mountain View"),
        (CITIES, "0", None),
        (CITIES, "4", None),
        (Digits(4), "0123", "0123"),
        (Digits(4), "123", None),
        (Quantity(1, 20), "07", "7"),
        (Quantity(1, 20), "21", None),
        (TimeOfDay(), "1430", "14:30"),
        (TimeOfDay(), "2460", None),
        (HowLong(), "90", "90"),
        (HowLong(), "0", None),
        (Day(), "2", "tomorrow"),
        (Day(), "0229", "02-29"),
        (Day(), "0230", None),
        (Anything(), "1", None),
    ],
)
def test_keys_are_an_equal_way(answer: Answer, keys: str, value: str | None) -> None:
    assert answer.from_digits(keys) == value


@pytest.mark.parametrize("answer", KINDS, ids=repr)
def test_an_answer_travels_on_the_tape(answer: Answer) -> None:
    encoded = msgspec.msgpack.encode(answer)
    assert msgspec.msgpack.decode(encoded, type=Answer) == answer
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(answer.expectation()), type=dict)["type"] == "Expectation"


@given(
    st.sampled_from(KINDS),
    st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join) | st.text(max_size=40),
    st.text("0123456789*#", max_size=6) | st.text(max_size=6),
)
def test_a_value_is_canonical(answer: Answer, said: str, keys: str) -> None:
    """Whatever was understood or keyed is understood again when it is read back."""
    for value in (answer.parse(said), answer.from_digits(keys)):
        if value is not None:
            assert value != ""
            assert answer.parse(answer.read_back(value)) == value


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: OneOf(()), "needs choices"),
        (lambda: OneOf(("a", "!")), "can be said"),
        (lambda: OneOf(("room 5", "Room five")), "sound the same"),
        (lambda: OneOf(("a",), {"b": ("c",)}), "'b'"),
        (lambda: Quantity(3, 2), "low <= high"),
        (lambda: Digits(0), "at least 1"),
        (lambda: HowLong(10, 5), "shortest <= longest"),
        (lambda: TimeOfDay(24), "0 to 23"),
    ],
)
def test_nonsense_is_refused_when_it_is_written(build: Callable[[], Answer], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        build()
