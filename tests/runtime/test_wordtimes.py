"""Where words lie, from where they begin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from offhook.call.inputs import WordSpan
from offhook.runtime.wordtimes import WordTimes


@given(
    st.lists(st.sampled_from(["one", "two", "three"]), max_size=6),
    st.lists(st.tuples(st.integers(-2, 8), st.integers(0, 900), st.integers(0, 900)), max_size=12),
)
def test_there_is_a_span_for_every_word_or_none(words: list[str], told: list[tuple[int, int, int]]) -> None:
    """Whatever a voice says, in whatever order."""
    times, spans, heard = WordTimes(" ".join(words)), list[WordSpan](), 0
    for word, ahead, length in told:
        times.begins(word, heard + ahead)
        spans += times.hear(np.full(length, 4_000, np.int16))
        heard += length
    spans += times.finish()
    assert [span.word for span in spans] in ([], words)
    assert all(span.start <= span.end for span in spans)


def test_a_voice_that_says_nothing_leaves_it_to_the_ear() -> None:
    times = WordTimes("one two")
    assert list(times.hear(np.full(800, 4_000, np.int16))) == []
    assert list(times.finish()) == []


def test_it_does_not_matter_how_the_speech_is_cut() -> None:
    speech = np.repeat(np.array([4_000, 0, 4_000, 0], np.int16), (700, 300, 500, 200))
    for size in (1, 7, 160, 999, 5_000):
        times = WordTimes("one two")
        times.begins(0, 0)
        times.begins(1, 1_000)
        spans = [span for at in range(0, len(speech), size) for span in times.hear(speech[at : at + size])]
        assert [*spans, *times.finish()] == [WordSpan("one", 0, 860), WordSpan("two", 1_000, 1_660)]
