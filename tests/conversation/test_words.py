"""What short utterances mean for the floor."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.words import Meaning, kind, normalise


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("", Meaning.NOTHING),
        ("...", Meaning.NOTHING),
        ("Um, uh…", Meaning.NOTHING),
        ("Uh-huh.", Meaning.BACKCHANNEL),
        ("Mm-hmm", Meaning.BACKCHANNEL),
        ("okay", Meaning.BACKCHANNEL),
        ("Yeah, right, I see.", Meaning.BACKCHANNEL),
        ("um yes", Meaning.BACKCHANNEL),
        ("That’s right", Meaning.BACKCHANNEL),
        ("wow", Meaning.BACKCHANNEL),
        ("I said hold on!", Meaning.WAIT),
        ("one moment, please.", Meaning.WAIT),
        ("Please wait a moment.", Meaning.WAIT),
        ("okay hold on", Meaning.WAIT),
        ("Stop!", Meaning.STOP),
        ("no wait", Meaning.STOP),
        ("okay, stop", Meaning.STOP),
        ("no", Meaning.WORDS),
        ("go", Meaning.WORDS),
        ("please", Meaning.WORDS),
        ("yes, two people", Meaning.WORDS),
        ("stop at the corner", Meaning.WORDS),
        ("I'm sorry, I missed that.", Meaning.WORDS),
    ],
)
def test_english(said: str, meaning: Meaning) -> None:
    assert kind(said) is meaning


@pytest.mark.parametrize(
    ("said", "language", "meaning"),
    [
        ("Ja, genau.", "de", Meaning.BACKCHANNEL),
        ("Einen Moment, bitte!", "de-DE", Meaning.WAIT),
        ("ähm", "de", Meaning.NOTHING),
        ("Espere un momento", "es", Meaning.WAIT),
        ("Sí, claro", "es", Meaning.BACKCHANNEL),
        ("D’accord", "fr", Meaning.BACKCHANNEL),
        ("Non, attendez !", "fr", Meaning.STOP),
        ("okay", "xx", Meaning.BACKCHANNEL),
    ],
)
def test_other_languages(said: str, language: str, meaning: Meaning) -> None:
    assert kind(said, language) is meaning


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("  It’s 2:30 P.M.!", "it's 2 30 p m"),
        ("'Quoted' o'clock", "quoted o'clock"),
        ("snake_case", "snake case"),
        ("École—ÄÖÜ", "école äöü"),
        ("नमस्ते।", "नमस्ते"),
        ("ＡＢ１", "ab1"),
    ],
)
def test_normalise(text: str, plain: str) -> None:
    assert normalise(text) == plain


@given(st.text())
def test_normalised_text_stays_as_it_is(text: str) -> None:
    plain = normalise(text)
    assert normalise(plain) == plain
    assert "  " not in plain
    assert kind(plain) is kind(text)
