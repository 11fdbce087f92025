"""The parts of the measure: labels, the ledger transcriber, what was heard, the silence timer, figures."""

import asyncio
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio import mulaw, wav
from offhook.audio.events import CHUNK, Evidence
from offhook.conversation.expectation import Expectation
from offhook.providers.interfaces import Transcript, Utterance
from offhook.simulator import world
from offhook.simulator.ledger import Ledger, Span
from offhook.simulator.score import labels, statistics, timer
from offhook.simulator.score.corpus import Corpus
from offhook.simulator.score.ears import GARBLED, Class, Labelled, LedgerEars, Track, ears
from offhook.simulator.score.follow import Reference, Stretch, follow, heard
from offhook.simulator.score.labels import Word
from offhook.simulator.score.mouth import Spoken
from offhook.simulator.score.stage import Sample


def noise(seed: int, count: int) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(count) * 3_000).astype(np.int16)


# Labels


def test_speech_is_found_between_silences() -> None:
    pcm = np.concatenate((np.zeros(1_600, np.int16), noise(1, 4_000), np.zeros(4_000, np.int16), noise(2, 2_400)))
    assert labels.voiced(pcm) == [Span(1_600, 5_600), Span(9_600, 12_000)]


@pytest.mark.parametrize(("softer_db", "found"), [(10, 2), (14, 1)])
def test_what_is_soft_and_far_from_the_rest_is_no_word(softer_db: float, found: int) -> None:
    soft = (noise(4, 2_400) * 10 ** (-softer_db / 20)).astype(np.int16)
    pcm = np.concatenate((np.zeros(1_600, np.int16), noise(1, 8_000), np.zeros(4_000, np.int16), soft))
    assert len(labels.voiced(pcm)) == found


def test_no_word_lies_across_a_pause() -> None:
    spans = [Span(0, 4_000), Span(8_000, 12_000)]
    words = labels.words("one two three four", spans, np.zeros(150))
    assert [word.text for word in words] == ["one", "two", "three", "four"]
    for word in words:
        assert any(span.start <= word.start < word.end <= span.end for span in spans), word


# The ledger transcriber


def track(lost: bool = False) -> Track:
    """Two words of 400 ms, 200 ms apart."""
    made = Track()
    audio = mulaw.encode(np.concatenate((np.zeros(800, np.int16), noise(3, 8_000), np.zeros(800, np.int16))))
    if lost:
        made.receive(0, audio[:1_200])
        made.receive(2_000, audio[2_000:])
    else:
        made.receive(0, audio)
    made.labelled.append(Labelled(800, 8_800, (Word("hello", 800, 4_000), Word("there", 5_600, 8_800))))
    return made


def understood(made: Track, audio: bytes, kind: Class = Class.UPLOAD) -> str:
    return LedgerEars(made, kind).understand(audio).text


def test_whole_words_are_understood() -> None:
    made = track()
    assert understood(made, bytes(made.audio)) == "hello there"
    assert understood(made, bytes(made.audio[:5_000])) == "hello"


def test_a_cut_word_is_garbled() -> None:
    made = track()
    assert understood(made, bytes(made.audio[2_000:])) == f"{GARBLED} there"


def test_a_word_that_is_there_twice_is_said_twice() -> None:
    made = track()
    assert understood(made, bytes(made.audio[:4_800] + made.audio)) == "hello hello there"


def test_a_word_is_judged_by_what_came_of_it() -> None:
    made = track(lost=True)
    assert made.lost == [Span(1_200, 2_000)]
    assert understood(made, bytes(made.audio)) == "hello there"
    assert understood(made, bytes(made.audio[2_400:])) == f"{GARBLED} there"


def test_slices_of_a_second_cut_words() -> None:
    made = track()
    slices = [understood(made, bytes(made.audio[start : start + 2_000])) for start in range(0, 9_600, 2_000)]
    assert GARBLED in " ".join(slices)


def test_without_text_it_is_only_known_that_something_was_said() -> None:
    made = track()
    assert LedgerEars(made, Class.NONE).understand(bytes(made.audio)) == Transcript("", understood=False)
    assert LedgerEars(made, Class.NONE).understand(bytes(made.audio[:700])) == Transcript("")


def test_an_upload_is_answered_after_300_ms() -> None:
    made = track()

    async def ask() -> tuple[float, list[str]]:
        began = asyncio.get_running_loop().time()
        utterance = Utterance(bytes(made.audio), Expectation())
        texts = [result.text async for result in ears(made, Class.UPLOAD).transcribe(utterance)]
        return asyncio.get_running_loop().time() - began, texts

    took, texts = world.run(ask())
    assert took == pytest.approx(0.3)
    assert texts == ["hello there"]


@given(st.integers(0, 9_599), st.integers(0, 9_600))
def test_any_slice_is_found_where_it_was(start: int, length: int) -> None:
    made = track()
    piece = bytes(made.audio[start : start + length])
    if len(piece.strip(mulaw.SILENCE)) >= 160:
        assert made.find(piece) == [Span(start, start + len(piece))]


# What was heard


def reference() -> tuple[Reference, np.ndarray]:
    pcm = noise(4, 8_000)
    return Reference([Spoken("one two", pcm.tobytes(), (Word("one", 0, 4_000), Word("two", 4_000, 8_000)))]), pcm


def test_what_is_played_is_followed_though_it_is_softer() -> None:
    known, pcm = reference()
    ear = Ledger()
    ear.append(1_000, mulaw.encode((pcm // 2)[:6_000]))
    assert follow(ear, known) == [Stretch(1_000, 0, 6_000)]


def test_a_pause_and_a_step_back_are_seen() -> None:
    known, pcm = reference()
    ear = Ledger()
    ear.append(0, mulaw.encode(pcm[:4_800]))
    ear.append(8_000, mulaw.encode(pcm[4_000:]))
    stretches = follow(ear, known)
    assert stretches == [Stretch(0, 0, 4_800), Stretch(8_000, 4_000, 4_000)]
    assert heard(known, stretches)[[100, 4_400, 7_900]].tolist() == [1, 2, 1]


def test_a_doubled_frame_is_seen() -> None:
    known, pcm = reference()
    ear = Ledger()
    ear.append(0, mulaw.encode(np.concatenate((pcm[:3_200], pcm[3_040:]))))
    assert int((heard(known, follow(ear, known)) > 1).sum()) == 160


# The silence timer


def evidence(speech: str) -> list[Evidence]:
    """A chunk for each letter: x is speech."""
    return [Evidence("inbound", CHUNK * n, 0, float(it == "x"), -20, 0, 0) for n, it in enumerate(speech)]


def test_a_timer_fires_in_the_longest_silence_of_a_pause() -> None:
    assert timer.quiet(evidence("xxxx......xxx"), Span(4 * CHUNK, 10 * CHUNK)) == 6 * CHUNK


def test_a_detector_that_hears_late_makes_the_silence_longer() -> None:
    assert timer.quiet(evidence("xxxx.......xx"), Span(4 * CHUNK, 10 * CHUNK)) == 7 * CHUNK


def test_two_chunks_of_speech_stop_it() -> None:
    heard = evidence("..x..xx..")
    assert timer.stops(heard, 2 * CHUNK, 8 * CHUNK) == 5 * CHUNK
    assert timer.stops(heard, 0, 4 * CHUNK) is None


# Figures


def sample(metric: str, value: float, item: int, factor: float = 1.0) -> Sample:
    return Sample(metric, value, item, "clean", "upload", factor)


def test_dead_air_is_read_off_between_two_waits() -> None:
    samples = [sample("cut-in", item < 2, item, 1.0) for item in range(20)]
    samples += [sample("cut-in", 0, item, 2.0) for item in range(20)]
    samples += [sample("dead air", factor, item, factor) for item in range(20) for factor in (1.0, 2.0)]
    assert statistics.Curve(samples).at().value == pytest.approx(1.5)


def test_waits_that_all_cut_in_have_no_dead_air_at_5_percent() -> None:
    samples = [sample("cut-in", 1, item) for item in range(20)] + [sample("dead air", 1, 0)]
    assert statistics.Curve(samples).at().value == math.inf


def test_a_timer_is_as_long_as_all_but_5_percent_of_the_pauses() -> None:
    samples = [sample("timer quiet", (item + 1) / 10, item) for item in range(40)]
    assert statistics.timer_at([*samples, sample("timer tail", 0.1, 0)]).value == pytest.approx(3.9 + 0.1)


@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_a_share_lies_in_its_interval(values: list[bool]) -> None:
    figure = statistics.share(values)
    assert 0 <= figure.low <= figure.value + 1e-9
    assert figure.value <= figure.high + 1e-9
    assert figure.high <= 1


# Labelled pauses


def test_pauses_of_a_csv_make_turns(tmp_path: Path) -> None:
    pcm = np.concatenate((noise(5, 8_000), np.zeros(8_000, np.int16), noise(6, 8_000), np.zeros(8_000, np.int16)))
    (tmp_path / "pause").mkdir()
    (tmp_path / "pause" / "a.wav").write_bytes(wav.write(8_000, pcm))
    (tmp_path / "manifest.tsv").write_text("file\ttranscript\npause/a.wav\tso then\n")
    (tmp_path / "pauses.csv").write_text(
        "file,pause_start,pause_end,kind\npause/a.wav,1.0,2.0,hold\npause/a.wav,3,4,eot\n"
    )
    (turn,) = Corpus(tmp_path).turns()
    assert (turn.start, turn.end, turn.holds) == (0, 24_000, (Span(8_000, 16_000),))
    assert [word.text for word in turn.words] == ["so", "then"]
    assert turn.written


def test_words_that_nobody_wrote_down_only_stand_for_words(tmp_path: Path) -> None:
    (tmp_path / "pause").mkdir()
    (tmp_path / "pause" / "a.wav").write_bytes(wav.write(8_000, noise(5, 16_000)))
    (tmp_path / "manifest.tsv").write_text("file\ttranscript\npause/a.wav\tpauses inside turn (s): 0.5-1.0\n")
    (turn,) = Corpus(tmp_path).turns()
    assert turn.words
    assert not turn.written


def test_what_is_said_between_two_pauses_is_never_nothing(tmp_path: Path) -> None:
    (tmp_path / "pause").mkdir()
    (tmp_path / "pause" / "a.wav").write_bytes(wav.write(8_000, noise(5, 24_000)))
    (tmp_path / "manifest.tsv").write_text("file\ttranscript\npause/a.wav\tpauses inside turn (s): 0.4-2.0, 2.2-2.9\n")
    (turn,) = Corpus(tmp_path).turns()
    assert [(word.start, word.end) for word in turn.words] == [(0, 3_200), (16_000, 17_600), (23_200, 24_000)]
