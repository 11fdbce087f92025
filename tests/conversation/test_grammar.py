"""The recogniser's grammars and our own understanding agree, and every word has a known pronunciation."""

from importlib.util import find_spec
from pathlib import Path
from random import Random

import jsgf
import pytest

from booking import BOOKING
from offhook.conversation.answers import Answer, Day, Digits, HowLong, OneOf, Quantity, TimeOfDay, YesNo
from offhook.conversation.commands import COMMAND_GRAMMAR, command
from offhook.conversation.grammar import spoken

KINDS: list[Answer] = [
    YesNo(),
    OneOf(("mountain view", "room 5"), {"room 5": ("the small room",)}),
    Digits(),
    Quantity(1, 20),
    Quantity(0, 9, "bags"),
    Day(),
    TimeOfDay(),
    HowLong(),
]


@pytest.mark.parametrize("answer", KINDS, ids=lambda answer: type(answer).__name__)
def test_what_the_grammar_accepts_is_an_answer(answer: Answer) -> None:
    random = Random(1)
    for _ in range(300):
        said = jsgf.sentence(answer.grammar(), random)
        impossible = isinstance(answer, Day) and ("thirt" in said or "twenty ninth" in said)
        assert answer.parse(said) is not None or impossible, said


def test_what_the_command_grammar_accepts_is_a_command() -> None:
    random = Random(1)
    assert all(command(jsgf.sentence(COMMAND_GRAMMAR, random)) for _ in range(100))


def test_the_grammar_of_every_step_covers_answer_and_commands() -> None:
    step = BOOKING.begin()
    grammar = step.expects.grammar if step.expects else ""
    assert {"book", "room", "operator", "repeat", "goodbye"} <= jsgf.words(grammar)


def test_every_word_is_in_the_pronouncing_dictionary() -> None:
    package = find_spec("pocketsphinx")
    if package is None or package.origin is None:
        pytest.skip("pocketsphinx, whose dictionary this reads, is not installed")
    path = Path(package.origin).parent / "model" / "en-us" / "cmudict-en-us.dict"
    known = {line.split(" ", 1)[0] for line in path.read_text().splitlines()}
    for body in [COMMAND_GRAMMAR, *(answer.grammar() for answer in KINDS)]:
        assert jsgf.words(body) <= known


def test_numerals_are_spoken_as_words() -> None:
    assert spoken("Room 25, 007!") == "room twenty five zero zero seven"


def test_large_ranges_compose_their_numbers() -> None:
    answer = Quantity(0, 5000, "")
    random = Random(2)
    said = [jsgf.sentence(answer.grammar(), random) for _ in range(100)]
    assert len(answer.grammar()) < 6000
    assert sum(answer.parse(sentence) is not None for sentence in said) > 50
