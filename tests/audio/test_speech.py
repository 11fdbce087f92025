"""From evidence to speech."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.events import CHUNK, Evidence, SpeechStarted, SpeechStopped
from offhook.audio.level import FLOOR
from offhook.audio.speech import Hysteresis, SpeechDetector


def chunks(
    *speech: float,
    level: float = -25,
    echo: float = 0,
    missing: int = 0,
    start: int = 0,
    pitch: float = 0,
    played: float = FLOOR,
    tone: float = 0,
) -> Iterable[Evidence]:
    for number, probability in enumerate(speech, start):
        yield Evidence("inbound", number * CHUNK, missing, probability, level, echo, pitch, played, tone)


def follow(detector: SpeechDetector, evidence: Iterable[Evidence]) -> list[SpeechStarted | SpeechStopped]:
    return [event for each in evidence if (event := detector.handle(each))]


def test_two_chunks_start_speech_at_the_first_of_them() -> None:
    detector = SpeechDetector()
    assert follow(detector, chunks(0.1, 0.9, 0.1, 0.5, 0.5)) == [SpeechStarted(3 * CHUNK)]
    assert detector.speaking
    assert detector.speech_samples == 2 * CHUNK
    assert detector.silence_samples == 0


def test_three_chunks_stop_it_at_the_end_of_the_last_that_held_speech() -> None:
    detector = SpeechDetector()
    events = follow(detector, chunks(0.9, 0.9, 0.4, 0.3, 0.3, 0.35, 0.3, 0.3, 0.34, 0.1))
    assert events == [SpeechStarted(0), SpeechStopped(6 * CHUNK)]
    assert not detector.speaking
    assert detector.speech_samples == 4 * CHUNK
    assert detector.silence_samples == 4 * CHUNK


@pytest.mark.parametrize(("noise", "speaking"), [(-41, False), (-30, True)])
def test_what_is_no_louder_than_the_line_is_no_speech_unless_words_may_drown_in_it(
    noise: float, speaking: bool
) -> None:
    """The network goes on to believe in it: behind a word in noise for a tenth of a second or two."""
    detector = SpeechDetector()
    follow(detector, chunks(*[0.0] * 40, level=noise))
    follow(detector, chunks(0.9, 0.9, 0.9, level=-20, start=40))
    follow(detector, chunks(0.8, 0.8, 0.8, 0.8, level=noise + 1, start=43))
    assert detector.speaking is speaking


def test_the_surest_chunk_of_a_burst_is_known_until_the_next() -> None:
    detector = SpeechDetector()
    follow(detector, chunks(0.9, 0.97, 0.5))
    follow(detector, chunks(0.1, 0.1, 0.1, level=-60, start=3))
    assert detector.surest == 0.97
    follow(detector, chunks(0.6, 0.7, start=6))
    assert detector.surest == 0.7


def test_the_soft_end_of_a_word_is_no_silence_yet() -> None:
    """Three chunks of it, within 25 dB of the loudest; none that is no louder than the line's noise, but where that
    hides soft ends there may be one."""
    for level, stops_after in (-45, 6), (-60, 3):
        detector = SpeechDetector()
        follow(detector, chunks(0.9, 0.9, level=-25))
        ends = [bool(detector.handle(each)) for each in chunks(*[0.1] * 8, level=level, start=2)]
        assert ends.index(True) + 1 == stops_after
    for noise, stops_after in (-60, 3), (-45, 4):
        noisy = SpeechDetector()
        follow(noisy, chunks(*[0.0] * 40, level=noise))
        follow(noisy, chunks(0.9, 0.9, level=-25, start=40))
        ends = [bool(noisy.handle(each)) for each in chunks(*[0.1] * 8, level=noise + 1, start=42)]
        assert ends.index(True) + 1 == stops_after


@pytest.mark.parametrize(("level", "speech"), [(-25, True), (-60, False)])
def test_a_short_word_that_the_network_believes_in_by_half_is_one_if_it_stands_out(level: float, speech: bool) -> None:
    """A "no", as it was heard: the network comes to believe in it when it is nearly over."""
    detector = SpeechDetector()
    follow(detector, chunks(*[0.02] * 20, level=-70))
    word = [0.24, 0.31, 0.12, 0.14, 0.22, 0.48, 0.39, 0.32]
    found = follow(detector, chunks(*word, level=level, start=20))
    assert found == ([SpeechStarted(20 * CHUNK)] if speech else [])


def test_half_belief_is_nothing_over_our_voice() -> None:
    assert follow(SpeechDetector(), chunks(*[0.4] * 20, level=-20, played=-24)) == []
    assert follow(SpeechDetector(), chunks(*[0.4] * 20, level=-20)) == [SpeechStarted(0)]


def test_a_lull_is_what_is_far_below_the_loudest_or_near_the_noise_whatever_the_network_believes() -> None:
    for noise, level, lull in (-70, -46, False), (-70, -51, True), (-45, -41, True), (-45, -39, False):
        detector = SpeechDetector()
        follow(detector, chunks(*[0.0] * 40, level=noise))
        follow(detector, chunks(0.9, 0.9, level=-25, start=40))
        follow(detector, chunks(0.9, level=level, start=42))
        assert (detector.speaking, detector.lull) == (True, lull)


def test_what_never_came_neither_starts_nor_stops_nor_counts() -> None:
    detector = SpeechDetector()
    assert follow(detector, chunks(0.9, 0.9, 0.9, missing=200)) == []
    assert follow(detector, chunks(0.9, 0.9)) == [SpeechStarted(0)]
    assert follow(detector, chunks(0, 0, 0, 0, missing=129, start=2)) == []
    assert detector.speaking
    assert detector.silence_samples == 0
    assert follow(detector, chunks(0, 0, 0, level=-60, missing=128, start=6)) == [SpeechStopped(2 * CHUNK)]


def over_us(detector: SpeechDetector, *, echo_at: float, count: int = 60) -> int:
    """We speak at -24 dBov, and are heard at a level. How many chunks that took."""
    assert follow(detector, chunks(*[0.9] * count, level=echo_at, played=-24)) == []
    return count


@pytest.mark.parametrize("echo_at", [-44, -52, -69])
def test_our_own_voice_coming_back_is_not_the_caller_whose_voice_over_it_is(echo_at: float) -> None:
    detector = SpeechDetector()
    at = over_us(detector, echo_at=echo_at)
    caller = follow(detector, chunks(0.9, 0.9, level=-30, played=-24, start=at))
    assert caller == [SpeechStarted(at * CHUNK)]


def test_how_loud_we_come_back_is_learned() -> None:
    detector = SpeechDetector()
    at = over_us(detector, echo_at=-60)
    assert follow(detector, chunks(0.9, 0.9, level=-50, played=-24, start=at)) == [SpeechStarted(at * CHUNK)]
    assert follow(SpeechDetector(), chunks(0.9, 0.9, level=-50, played=-24)) == []


def test_what_sounds_like_us_has_to_be_louder() -> None:
    detector = SpeechDetector()
    at = over_us(detector, echo_at=-60)
    assert follow(detector, chunks(0.9, 0.9, level=-51, echo=0.8, played=-24, start=at)) == []
    assert follow(detector, chunks(0.9, 0.9, level=-47, echo=0.8, played=-24, start=at + 2)) != []


def test_our_echo_does_not_hold_on_to_a_burst_of_the_caller() -> None:
    detector = SpeechDetector()
    at = over_us(detector, echo_at=-45)
    follow(detector, chunks(0.9, 0.9, 0.9, level=-25, played=-24, start=at))
    assert follow(detector, chunks(0.9, 0.9, 0.9, level=-46, played=-24, start=at + 3)) == [
        SpeechStopped((at + 3) * CHUNK)
    ]


def test_how_loud_usual_is_is_learned_from_the_caller_and_not_from_the_echo() -> None:
    quiet = SpeechDetector()
    follow(quiet, chunks(*[0.9] * 100, level=-40))
    assert -41 < quiet.caller_level < -39
    follow(quiet, chunks(*[0.9] * 50, level=-20, echo=0.9, start=100))
    assert -41 < quiet.caller_level < -39


def test_the_soft_ends_of_words_do_not_make_the_caller_softer() -> None:
    detector = SpeechDetector()
    for start in range(0, 400, 4):
        follow(detector, chunks(0.9, level=-25, start=start))
        follow(detector, chunks(0.9, 0.9, 0.9, level=-55, start=start + 1))
    assert detector.caller_level > -26


def test_a_tone_that_stands_still_is_no_speech_and_a_voice_is() -> None:
    detector = SpeechDetector()
    assert follow(detector, chunks(0.2, *[0.9] * 20, tone=425.0)) == []
    detector = SpeechDetector()
    voice = [each for hertz in (220, 220, 226, 233) for each in chunks(0.9, tone=hertz)]
    assert follow(detector, voice) == [SpeechStarted(0)]


def test_a_beep_behind_words_does_not_prolong_them() -> None:
    detector = SpeechDetector()
    follow(detector, chunks(0.9, 0.9, 0.9))
    assert follow(detector, chunks(*[0.9] * 4, tone=1_000.0, start=3)) == []
    assert follow(detector, chunks(0.9, tone=1_000.0, start=7)) == [SpeechStopped(5 * CHUNK)]


def test_what_is_loud_voiced_and_likely_is_speech_although_the_network_is_not_sure() -> None:
    quiet_line = list(chunks(*[0.0] * 20, level=-65))

    def told(*speech: float, level: float = -24, pitch: float = 120) -> list[SpeechStarted | SpeechStopped]:
        return follow(SpeechDetector(), [*quiet_line, *chunks(*speech, level=level, pitch=pitch, start=20)])

    assert told(0.25, 0.3, 0.4, 0.3) == [SpeechStarted(20 * CHUNK)]
    assert told(0.25, 0.3, 0.4) == []
    assert told(0.25, 0.3, 0.1, 0.4, 0.4) == []
    assert told(0.21, 0.21, 0.21, 0.21) == []
    assert told(0.3, 0.3, 0.4, 0.3, level=-36) == [], "far softer than people speak"
    assert told(0.3, 0.3, 0.4, 0.3, pitch=0) == [], "a noise"
    noisy = [*chunks(*[0.0] * 20, level=-36), *chunks(0.3, 0.3, 0.4, 0.3, level=-24, pitch=120, start=20)]
    assert follow(SpeechDetector(), noisy) == [], "little above the line's noise"


def settled(seconds: int = 2) -> SpeechDetector:
    """A detector that knows a caller whose loudest is -20 dBov."""
    detector = SpeechDetector()
    follow(detector, [*chunks(*[0.9] * 31 * seconds, level=-20), *chunks(0, 0, 0, level=-70, start=31 * seconds)])
    return detector


def test_talk_far_below_a_caller_who_is_known_is_nobody_until_it_goes_on() -> None:
    detector = settled()
    assert follow(detector, chunks(*[0.9] * 30, level=-45, start=100)) == []
    follow(detector, chunks(0, level=-70, start=130))
    (started,) = follow(detector, chunks(*[0.9] * 80, level=-45, start=131))
    assert started == SpeechStarted(168 * CHUNK), "half a second before the limit had come down to it"


@pytest.mark.parametrize("below", [6, 14, 19])
def test_a_caller_who_speaks_more_softly_is_heard_at_once(below: float) -> None:
    assert follow(settled(), chunks(0.9, 0.9, level=-20 - below, start=100)) == [SpeechStarted(100 * CHUNK)]


def test_one_word_does_not_tell_how_loud_a_caller_is() -> None:
    detector = SpeechDetector()
    follow(detector, [*chunks(*[0.9] * 15, level=-12), *chunks(0, 0, 0, level=-70, start=15)])
    assert follow(detector, chunks(0.9, 0.9, level=-45, start=18)) == [SpeechStarted(18 * CHUNK)]


def test_the_loudest_chunk_of_a_burst_is_kept_and_the_next_burst_begins_anew() -> None:
    detector = SpeechDetector()
    follow(detector, [*chunks(0.9, level=-30), *chunks(0.9, level=-20, start=1), *chunks(0.9, level=-40, start=2)])
    assert detector.loudest == -20
    follow(detector, chunks(0, 0, 0, level=-60, start=3))
    assert detector.loudest == -20
    follow(detector, chunks(0.9, 0.9, level=-35, start=6))
    assert detector.loudest == -35


def test_the_thresholds_can_be_chosen() -> None:
    detector = SpeechDetector(Hysteresis(start=0.8, start_chunks=1, keep=0.7, stop_chunks=1, soft_chunks=0))
    assert follow(detector, chunks(0.7, 0.8, 0.6)) == [SpeechStarted(CHUNK), SpeechStopped(2 * CHUNK)]


probability = st.floats(0, 1)


@given(st.lists(st.tuples(probability, probability, st.integers(0, CHUNK), st.floats(-96, 0)), max_size=60))
def test_starts_and_stops_alternate_and_never_go_back(rows: list[tuple[float, float, int, float]]) -> None:
    detector, events = SpeechDetector(), []
    for number, (speech, echo, missing, level) in enumerate(rows):
        event = detector.handle(Evidence("inbound", number * CHUNK, missing, speech, level, echo, 0))
        if event:
            events.append(event)
            assert event.position <= (number + 1) * CHUNK
        assert detector.speaking == (bool(events) and isinstance(events[-1], SpeechStarted))
    kinds = [type(event) for event in events]
    assert kinds == [SpeechStarted, SpeechStopped] * (len(kinds) // 2) + [SpeechStarted] * (len(kinds) % 2)
    positions = [event.position for event in events]
    assert positions == sorted(positions)
