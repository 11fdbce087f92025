"""How loud our own voice may come back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.echopath import REACH, EchoPath
from offhook.audio.level import FLOOR, power

VOICE = -24.0
"""dBov of what we play."""


def bound(path: EchoPath, *, heard: float, played: float, chunks: int, noise: float = FLOOR) -> float:
    """What is expected in the last of so many chunks."""
    for _ in range(chunks):
        expected = path.hear(power(heard), played, power(noise))
    return expected


def test_nothing_comes_back_where_nothing_was_played() -> None:
    assert bound(EchoPath(), heard=-20, played=FLOOR, chunks=100) == FLOOR


def test_before_anything_is_known_our_voice_may_come_back_17_db_weaker() -> None:
    assert bound(EchoPath(), heard=-90, played=VOICE, chunks=1) == pytest.approx(VOICE - 17)


@pytest.mark.parametrize("loss", [20, 30, 45])
def test_the_loss_is_learned_within_a_second(loss: float) -> None:
    assert bound(EchoPath(), heard=VOICE - loss, played=VOICE, chunks=30) == pytest.approx(VOICE - loss, abs=0.5)


@pytest.mark.parametrize("delay", [0, 5, REACH])
def test_whatever_the_delay_an_echo_is_expected(delay: int) -> None:
    path, ours = EchoPath(), [VOICE + 9 * math.sin(chunk / 3) for chunk in range(200)]
    for chunk, played in enumerate(ours):
        echo = ours[chunk - delay] - 30 if chunk >= delay else FLOOR
        assert echo <= path.hear(power(echo), played, 0.0) + 6


def test_a_caller_who_speaks_over_us_does_not_make_the_echo_louder() -> None:
    path = EchoPath()
    bound(path, heard=VOICE - 30, played=VOICE, chunks=45)
    assert bound(path, heard=-22, played=VOICE, chunks=20) == pytest.approx(VOICE - 30, abs=0.5)


def test_noise_is_no_echo() -> None:
    assert bound(EchoPath(), heard=-30, played=VOICE, chunks=60, noise=-30.5) < -35


def test_when_we_fall_silent_the_echo_is_over_after_half_a_second() -> None:
    path = EchoPath()
    bound(path, heard=VOICE - 30, played=VOICE, chunks=40)
    assert bound(path, heard=VOICE - 30, played=FLOOR, chunks=REACH) > VOICE - 31
    assert bound(path, heard=VOICE - 30, played=FLOOR, chunks=1) == FLOOR


@given(st.lists(st.tuples(st.floats(FLOOR, 0), st.floats(FLOOR, 0), st.floats(0, 1)), max_size=80))
def test_the_gain_never_exceeds_the_worst_that_is_presumed(rows: list[tuple[float, float, float]]) -> None:
    path = EchoPath()
    for level, played, noise in rows:
        assert FLOOR <= path.hear(power(level), played, noise) <= max(FLOOR, -16.9)
        assert 0 <= path.gain <= power(-16.9)
