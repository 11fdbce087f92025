"""Captions: what of a track is transcribed, in which pieces, and in which order it is reported."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.events import CHUNK, Evidence
from offhook.call.captions import Captions
from offhook.call.config import CallConfig
from offhook.call.inputs import TranscriptArrived
from offhook.call.outputs import Output, Transcribe, UserSaid
from offhook.call.requests import Requests
from offhook.timebase import Instant, samples, seconds

NOW = Instant(0)
CONFIG = CallConfig()
SECOND = 8_000


class Track:
    """Captions of one track that hear speech in some chunks and none in others."""

    def __init__(self, segment: float = 0) -> None:
        self.out: list[Output] = []
        self.captions = Captions(("inbound",), CONFIG, Requests(), self.out, seconds(segment))
        self.position = 0

    def hear(self, chunks: int, *, speech: bool) -> None:
        for _ in range(chunks):
            level = -20.0 if speech else -70.0
            self.captions.hear(NOW, Evidence("inbound", self.position, 0, float(speech), level, 0.0, 0.0))
            self.position += CHUNK

    def say(self, length: float, pause: float) -> None:
        self.hear(round(length * SECOND / CHUNK), speech=True)
        self.hear(round(pause * SECOND / CHUNK), speech=False)

    @property
    def asked(self) -> list[Transcribe]:
        return [each for each in self.out if isinstance(each, Transcribe)]

    @property
    def said(self) -> list[str]:
        return [each.text for each in self.out if isinstance(each, UserSaid)]

    def lengths(self) -> list[int]:
        return [each.end - each.start for each in self.asked]


def test_by_pauses_a_segment_is_an_utterance() -> None:
    track = Track()
    track.hear(40, speech=False)
    track.say(5, 0.5)
    track.say(1, 2)
    track.say(2, 2)
    first, second = track.asked
    assert first.start == 40 * CHUNK - samples(CONFIG.pre_roll)
    assert 6.5 * SECOND < first.end - first.start < 7.2 * SECOND
    assert second.start > first.end


def test_long_speech_is_cut_each_second_to_the_sample() -> None:
    track = Track(1)
    track.hear(40, speech=False)
    track.say(3.5, 2)
    first, second, third, last = track.asked
    assert first.start == 40 * CHUNK - samples(CONFIG.pre_roll)
    assert first.end == 40 * CHUNK + SECOND
    assert (second.start, second.end) == (first.end, first.end + SECOND)
    assert (third.start, third.end) == (second.end, second.end + SECOND)
    assert last.start == third.end
    assert last.end - last.start <= SECOND


def test_a_segment_that_began_does_not_wait_for_speech_to_fill_it() -> None:
    """A lone "yes" is written down within a second, although nothing follows it."""
    track = Track(1)
    track.hear(40, speech=False)
    track.hear(10, speech=True)
    track.hear(21, speech=False)
    assert len(track.asked) == 0
    track.hear(1, speech=False)
    assert len(track.asked) == 1
    track.hear(300, speech=False)
    assert len(track.asked) == 1


def test_a_pause_ends_a_long_segment() -> None:
    track = Track(10)
    track.say(2, 1)
    track.say(2, 1)
    assert len(track.asked) == 2


def test_nothing_is_asked_about_silence_behind_a_cut() -> None:
    """Speech ends just before the second is full, but that is known only after the cut."""
    track = Track(1)
    track.hear(31, speech=True)
    track.hear(300, speech=False)
    assert len(track.asked) == 1


def test_words_come_in_the_order_in_which_they_were_said() -> None:
    track = Track(1)
    track.say(2.9, 2)
    first, second, third = (each.request for each in track.asked)
    track.captions.transcribed(NOW, TranscriptArrived(third, "three"))
    track.captions.transcribed(NOW, TranscriptArrived(second, "t", final=False))
    track.captions.transcribed(NOW, TranscriptArrived(second, "two"))
    assert track.said == []
    track.captions.failed(first)
    assert track.said == ["two", "three"]


@given(
    st.lists(st.tuples(st.integers(2, 120), st.integers(3, 60)), min_size=1, max_size=12),
    st.sampled_from([0.0, 0.2, 0.5, 1.0, 3.0]),
)
def test_all_speech_is_transcribed_and_none_twice(bursts: list[tuple[int, int]], segment: float) -> None:
    track = Track(segment)
    count = np.zeros((sum(map(sum, bursts)) + 400) * CHUNK, int)
    spoken = np.zeros(len(count), bool)
    for speech, silence in bursts:
        track.hear(speech, speech=True)
        spoken[track.position - speech * CHUNK : track.position] = True
        track.hear(silence, speech=False)
    track.hear(100, speech=False)
    for each in track.asked:
        count[each.start : each.end] += 1
    assert set(count[spoken]) == {1}
    if segment:
        longest = samples(seconds(segment)) + samples(CONFIG.pre_roll) + CONFIG.hysteresis.stop_chunks * CHUNK
        assert max(track.lengths()) <= longest


@pytest.mark.parametrize("segment", [0.0, 0.3, 1.0])
def test_silence_costs_nothing(segment: float) -> None:
    track = Track(segment)
    track.hear(2_000, speech=False)
    assert track.out == []


def test_tracks_that_were_not_announced_are_ignored() -> None:
    track = Track()
    track.captions.hear(NOW, Evidence("outbound", 0, 0, 1.0, -20.0, 0.0, 0.0))
    assert track.out == []
