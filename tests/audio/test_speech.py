"""From evidence to speech."""

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.events import CHUNK, Evidence, SpeechStarted, SpeechStopped
from offhook.audio.speech import Hysteresis, SpeechDetector


def chunks(*speech: float, level: float = -25, echo: float = 0, missing: int = 0, start: int = 0) -> Iterable[Evidence]:
    for number, probability in enumerate(speech, start):
        yield Evidence("inbound", number * CHUNK, missing, probability, level, echo, 0)


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


def test_what_never_came_neither_starts_nor_stops_nor_counts() -> None:
    detector = SpeechDetector()
    assert follow(detector, chunks(0.9, 0.9, 0.9, missing=200)) == []
    assert follow(detector, chunks(0.9, 0.9)) == [SpeechStarted(0)]
    assert follow(detector, chunks(0, 0, 0, 0, missing=129, start=2)) == []
    assert detector.speaking
    assert detector.silence_samples == 0
    assert follow(detector, chunks(0, 0, 0, missing=128, start=6)) == [SpeechStopped(2 * CHUNK)]


def test_a_soft_likeness_of_our_own_voice_is_not_the_caller() -> None:
    detector = SpeechDetector()
    assert follow(detector, chunks(0.9, 0.9, 0.9, level=-40, echo=0.8)) == []
    assert follow(detector, chunks(0.9, 0.9, level=-40, echo=0.2, start=3)) == [SpeechStarted(3 * CHUNK)]


def test_a_caller_as_loud_as_usual_is_heard_over_the_echo() -> None:
    detector = SpeechDetector()
    assert follow(detector, chunks(0.9, 0.9, level=-26, echo=0.9)) == [SpeechStarted(0)]


def test_how_loud_usual_is_is_learned_from_the_caller_and_not_from_the_echo() -> None:
    quiet = SpeechDetector()
    follow(quiet, chunks(*[0.9] * 100, level=-40))
    assert -41 < quiet.caller_level < -39
    follow(quiet, chunks(*[0.9] * 50, level=-20, echo=0.9, start=100))
    assert -41 < quiet.caller_level < -39
    follow(quiet, chunks(0, 0, 0, start=150))
    assert follow(quiet, chunks(0.9, 0.9, level=-42, echo=0.9, start=153)) == [SpeechStarted(153 * CHUNK)]


def test_the_loudest_chunk_of_a_burst_is_kept_and_the_next_burst_begins_anew() -> None:
    detector = SpeechDetector()
    follow(detector, [*chunks(0.9, level=-30), *chunks(0.9, level=-20, start=1), *chunks(0.9, level=-40, start=2)])
    assert detector.loudest == -20
    follow(detector, chunks(0, 0, 0, start=3))
    assert detector.loudest == -20
    follow(detector, chunks(0.9, 0.9, level=-35, start=6))
    assert detector.loudest == -35


def test_the_thresholds_can_be_chosen() -> None:
    detector = SpeechDetector(Hysteresis(start=0.8, start_chunks=1, keep=0.7, stop_chunks=1))
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
