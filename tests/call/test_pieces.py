"""Where speech is gone on with after it was stopped."""

import pytest

from offhook.audio import mulaw
from offhook.call.inputs import WordSpan
from offhook.call.pieces import Piece

PACE = 0.11


@pytest.fixture
def piece() -> Piece:
    """Two words with a pause before, between and behind them."""
    words = [WordSpan("Good", 400, 2_000), WordSpan("morning.", 3_000, 5_000)]
    return Piece("Good morning.", audio=bytearray(mulaw.SILENCE * 8_000), words=words, done=True)


@pytest.mark.parametrize(
    ("stopped", "begins"),
    [(0, 400), (400, 400), (1_999, 400), (2_000, 3_000), (2_900, 3_000), (4_999, 3_000), (5_000, 8_000)],
)
def test_a_word_that_was_cut_is_said_again_and_a_pause_is_not(piece: Piece, stopped: int, begins: int) -> None:
    assert piece.word_start(stopped, lambda: PACE) == begins


def test_what_has_not_come_yet_is_not_left_out(piece: Piece) -> None:
    piece.done = False
    assert piece.word_start(5_500, lambda: PACE) == 5_500


def test_what_has_no_words_goes_on_where_it_was_cut() -> None:
    assert Piece("", audio=bytearray(mulaw.SILENCE * 8_000), done=True).word_start(3_000, lambda: PACE) == 3_000


def test_a_voice_that_another_went_on_for_has_told_of_its_own_words_only() -> None:
    sound = bytearray(b"\x20" * 9_600)
    words = [WordSpan("One", 0, 2_400)]
    piece = Piece("One two three four.", audio=sound, words=words, done=True)
    assert piece.words_within(8_000, lambda: PACE) == 3
    assert 2_400 < piece.word_start(6_000, lambda: PACE) < 6_000


def test_words_that_come_behind_their_sound_are_laid_into_it() -> None:
    piece = Piece("Good", audio=bytearray(b"\x20" * 9_600), aloud=1)
    before = piece.words_within(9_600, lambda: PACE)
    piece.text += " morning to you all"
    assert piece.words_within(9_600, lambda: PACE) > before


def test_how_fast_the_voice_speaks_is_asked_of_what_is_not_whole_only() -> None:
    def asked() -> float:
        raise AssertionError

    whole = Piece("Fine, thank you.", audio=bytearray(b"\x10" * 8_000), done=True)
    assert whole.words_within(8_000, asked) == 3
    assert whole.words_within(4_000, asked) < 3
    with pytest.raises(AssertionError):
        Piece("Fine, thank you.", audio=bytearray(b"\x10" * 8_000)).words_within(4_000, asked)
