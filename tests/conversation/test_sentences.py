"""Where a reply is cut into pieces that can be spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from effort import measured
from offhook.conversation.sentences import LONG, SentenceCutter


def cut(*chunks: str) -> list[str]:
    cutter = SentenceCutter()
    return [piece for chunk in chunks for piece in cutter.feed(chunk)] + cutter.finish()


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Yes. I can do that.", ["Yes.", "I can do that."]),
        ("Sure, I can do that, no problem. What day?", ["Sure, I can do that,", "no problem.", "What day?"]),
        ("I can help. Fine, good, and well.", ["I can help.", "Fine, good, and well."]),
        ("Ask Dr. Smith. He knows.", ["Ask Dr. Smith.", "He knows."]),
        ("It is 3.5 miles. Go.", ["It is 3.5 miles.", "Go."]),
        ("Bring fruit, e.g. Apples. Go.", ["Bring fruit, e.g. Apples.", "Go."]),
        ("The U.S. Army came. J. R. Tolkien wrote.", ["The U.S. Army came.", "J. R. Tolkien wrote."]),
        ("So do I. Good.", ["So do I.", "Good."]),
        ("See https://a.b/c.d?x=1. Or me@x.org. Good.", ["See https://a.b/c.d?x=1.", "Or me@x.org.", "Good."]),
        ("It costs $1,250.50 now! Call 555-1234.", ["It costs $1,250.50 now!", "Call 555-1234."]),
        ("We meet at 2:30 today. Good.", ["We meet at 2:30 today.", "Good."]),
        ("We meet at 2 p.m. Bring a pen.", ["We meet at 2 p.m.", "Bring a pen."]),
        ("We meet at 2 p.m. and talk.", ["We meet at 2 p.m. and talk."]),
        ("Well... I think so. Good.", ["Well... I think so.", "Good."]),
        ("Well… I think so. Good.", ["Well… I think so.", "Good."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        ("No. 5 is open. No. I mean it.", ["No. 5 is open.", "No.", "I mean it."]),
        ("On March 3, 2026 we open.", ["On March 3, 2026 we open."]),
        ("1. First one\n2. Second one", ["1. First one", "2. Second one"]),
        ("Look at this: ```a. B\nc``` Good.", ["Look at this:", "```a. B\nc```", "Good."]),
        ("你好，我可以帮你预订房间。您想要几点？", ["你好，我可以帮你预订房间。", "您想要几点？"]),
        ("नमस्ते। आप कैसे हैं।", ["नमस्ते।", "आप कैसे हैं।"]),
        ("كيف حالك؟ بخير.", ["كيف حالك؟", "بخير."]),
        ("", []),
        (" \n ", []),
        ("...", ["..."]),
    ],
)
def test_pieces(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces
    assert cut(*text) == pieces


def test_the_first_clause_leaves_before_the_sentence_is_written() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("Of course I can,") == []
    assert cutter.feed(" just") == ["Of course I can,"]


def test_a_mark_waits_for_what_follows_it() -> None:
    cutter = SentenceCutter()
    assert cutter.feed("It is 3.") == []
    assert cutter.feed("5 miles.") == []
    assert cutter.feed("\n") == ["It is 3.5 miles."]


def test_a_long_sentence_is_cut_at_its_last_clause_before_the_limit() -> None:
    clause = "and then we went on to another place, "
    pieces = cut("Fine. So " + clause * 12)
    assert pieces[0] == "Fine."
    assert max(map(len, pieces)) <= LONG
    assert all(piece.endswith(",") for piece in pieces[1:])
    assert len(pieces) < 12


def test_a_sentence_without_marks_is_cut_between_words() -> None:
    pieces = cut("word " * 200)
    assert max(map(len, pieces)) <= 2 * LONG
    assert " ".join(pieces) == ("word " * 200).strip()


def test_a_finished_cutter_begins_anew() -> None:
    cutter = SentenceCutter()
    cutter.feed("The first reply. And")
    assert cutter.finish() == ["And"]
    assert cutter.feed("Well of course, yes") == ["Well of course,"]


TEXTS = st.lists(
    st.sampled_from(
        [
            *str.split('a I B 5 . ! ? … , ; : - — ` * " ) 。 ， 好 \n', " "),
            " ",
            " ",
            "```",
            "Dr.",
            "e.g.",
            "word",
            "another ",
            "x" * 60,
        ]
    ),
    max_size=60,
).map("".join) | st.text(max_size=80)


@given(TEXTS, st.data())
def test_pieces_do_not_depend_on_the_chunks_and_lose_nothing(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    chunks = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    pieces = cut(text)
    assert cut(*chunks) == pieces
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(piece == piece.strip() != "" for piece in pieces)


def test_a_character_costs_the_same_however_much_was_written_before() -> None:
    """Looking at all of it again for each one would take eight times as long."""
    code = "```" + "x = 1\n" * 3_000 + "```"
    pieces, effort = measured(lambda: cut(*code))
    assert pieces == [code]
    assert effort.yardsticks < 6
