"""Several answers in one utterance, and nothing taken where a word is left over."""

import pytest

from booking import BOOKING
from offhook.conversation.spotting import spot, words_of

READERS = {question.id: question.answer for question in BOOKING.questions}


@pytest.mark.parametrize(
    ("said", "asked", "found"),
    [
        ("two people tomorrow", "people", {"people": "2", "day": "tomorrow"}),
        ("two tomorrow", "people", {"people": "2", "day": "tomorrow"}),
        ("today at two thirty p.m.", "day", {"day": "today", "time": "14:30"}),
        (
            "I'd like to book a room in Mountain View tomorrow at half past two for two hours for 2 people",
            "wish",
            None,
        ),
        (
            "Book a room in Mountain View, tomorrow at half past two, for two hours, for 2 people please",
            "wish",
            {
                "wish": "book a room",
                "city": "mountain view",
                "day": "tomorrow",
                "time": "14:30",
                "length": "120",
                "people": "2",
            },
        ),
        ("two hours", "people", {"length": "120"}),
        ("three", "day", None),
        ("at three", "day", {"time": "15:00"}),
        ("yes please", "day", {}),
        ("two people or three people", "people", None),
    ],
)
def test_spot(said: str, asked: str, found: dict[str, str] | None) -> None:
    assert spot(words_of(said), READERS, asked) == found


def test_carrier_phrases_of_ones_own() -> None:
    words = words_of("a big table for two people")
    assert spot(words, READERS) is None
    assert spot(words, READERS, carriers=[("big", "table")]) == {"people": "2"}


def test_a_story_is_no_answer() -> None:
    assert spot(("um",) * 100 + ("today",), READERS) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2:30 P.M.", ("2", "30", "pm")),
        ("2.30pm", ("2", "30", "pm")),
        ("the 3rd", ("the", "3rd")),
        ("90min", ("90", "min")),
        ("Half-past two", ("half", "past", "two")),
    ],
)
def test_words_of(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words
