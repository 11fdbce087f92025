"""A voice that sinks has come to rest."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.events import CHUNK, Evidence
from offhook.audio.prosody import UNKNOWN, Prosody


def heard(*stretches: tuple[int, float, float], speech: float = 0.9, echo: float = 0.0) -> tuple[Prosody, int]:
    """A voice of these stretches (chunks, dBov, Hz), and where it ends; three chunks of silence follow."""
    voice, position = Prosody(), 0
    for count, level, pitch in stretches:
        for _ in range(count):
            voice.handle(Evidence("inbound", position, 0, speech, level, echo, pitch))
            position += CHUNK
    for step in range(3):
        voice.handle(Evidence("inbound", position + step * CHUNK, 0, 0.02, -70, 0, 0))
    return voice, position


def test_a_voice_that_sinks_has_come_to_rest() -> None:
    voice, end = heard((40, -20, 120), (16, -24, 95))
    assert voice.rest(end) == 1


def test_a_voice_that_stays_up_has_not() -> None:
    voice, end = heard((40, -20, 120), (16, -20, 122))
    assert voice.rest(end) == 0


def test_a_little_lower_is_undecided() -> None:
    voice, end = heard((40, -20, 120), (16, -22, 115))
    assert 0.2 < voice.rest(end) < 0.8


def test_a_whisper_without_pitch_is_judged_by_its_level_once_a_voice_is_known() -> None:
    voice, end = heard((40, -20, 120), (16, -26, 0))
    assert voice.rest(end) == 1


def test_nothing_is_known_of_who_has_hardly_spoken() -> None:
    voice, end = heard((15, -20, 120))
    assert voice.rest(end) == UNKNOWN


def test_our_own_echo_is_not_their_voice() -> None:
    voice, end = heard((40, -20, 120), echo=0.9)
    assert voice.rest(end) == UNKNOWN


def test_what_was_said_long_ago_is_forgotten() -> None:
    shouted, end = heard((100, -10, 200), (8_000, -20, 120), (16, -20, 120))
    assert shouted.rest(end) == 0


@given(
    st.lists(st.tuples(st.integers(1, 60), st.floats(-96, 0), st.floats(0, 400)), max_size=8),
    st.floats(0, 1),
    st.integers(-1_000, 200_000),
)
def test_whatever_is_heard_it_is_a_share(stretches: list[tuple[int, float, float]], speech: float, end: int) -> None:
    voice, _ = heard(*stretches, speech=speech)
    assert 0 <= voice.rest(end) <= 1
