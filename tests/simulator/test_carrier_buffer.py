"""The carrier's buffer: order, marks, clear, and where every byte went."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.carrier.commands import ClearAudio, PlayAudio, SetMark
from offhook.simulator.playout import CAPACITY, CarrierBuffer, MarkReturned
from offhook.timebase import Instant, ms, seconds


def at(milliseconds: float) -> Instant:
    return Instant(ms(milliseconds))


def test_audio_plays_in_order_from_when_it_came() -> None:
    buffer = CarrierBuffer()
    buffer.receive(at(100), PlayAudio(b"a" * 160))
    buffer.receive(at(101), PlayAudio(b"b" * 160))
    buffer.receive(at(500), PlayAudio(b"c" * 160))
    assert buffer.ledger.heard() == [(at(100), b"a" * 160), (at(120), b"b" * 160), (at(500), b"c" * 160)]


def test_a_mark_comes_back_when_what_is_before_it_was_played() -> None:
    buffer = CarrierBuffer()
    assert buffer.receive(at(0), PlayAudio(b"a" * 800)) == []
    assert buffer.receive(at(0), SetMark("m")) == []
    assert buffer.due == at(100)
    assert buffer.advance(at(99.999)) == []
    assert buffer.advance(at(100)) == [MarkReturned(at(100), "m", played=True)]
    assert buffer.due is None


def test_a_mark_on_an_empty_buffer_comes_back_at_once() -> None:
    buffer = CarrierBuffer()
    assert buffer.receive(at(7), SetMark("probe")) == [MarkReturned(at(7), "probe", played=True)]


def test_clear_drops_what_is_left_and_returns_its_marks() -> None:
    buffer = CarrierBuffer()
    buffer.receive(at(0), PlayAudio(b"a" * 800))
    buffer.receive(at(0), SetMark("first"))
    buffer.receive(at(0), PlayAudio(b"b" * 800))
    buffer.receive(at(0), SetMark("second"))
    assert buffer.receive(at(150), ClearAudio()) == [
        MarkReturned(at(150), "first", played=True),
        MarkReturned(at(150), "second", played=False),
    ]
    assert (buffer.flushed, buffer.due) == (400, None)
    buffer.receive(at(160), PlayAudio(b"c" * 8))
    assert [audio[:1] for _, audio in buffer.ledger.heard()] == [b"a", b"b", b"c"]


def test_ten_minutes_are_held_and_no_more() -> None:
    buffer = CarrierBuffer()
    buffer.receive(at(0), PlayAudio(b"a" * (CAPACITY - 10)))
    buffer.receive(at(0), PlayAudio(b"b" * 11))
    buffer.receive(at(0), PlayAudio(b"c" * 10))
    assert (buffer.refused, buffer.ledger.end) == (11, CAPACITY)
    buffer.receive(at(20), PlayAudio(b"d" * 160))
    assert buffer.refused == 11


def test_the_end_of_the_stream_silences_it() -> None:
    buffer = CarrierBuffer()
    buffer.receive(at(0), PlayAudio(b"a" * 800))
    buffer.receive(at(0), SetMark("m"))
    buffer.stop(at(50))
    assert (buffer.flushed, buffer.advance(Instant(seconds(9)))) == (400, [])


orders = st.one_of(st.binary(max_size=400).map(PlayAudio), st.just("mark"), st.just(ClearAudio()))


@given(st.lists(st.tuples(st.integers(0, 60_000), orders), max_size=40))
def test_every_byte_and_every_mark_is_accounted_for(steps: list[tuple[int, PlayAudio | ClearAudio | str]]) -> None:
    buffer, now = CarrierBuffer(), Instant(0)
    set_marks: list[str] = []
    returned: list[MarkReturned] = []
    sent: list[tuple[int, bytes]] = []
    for wait, step in steps:
        now = Instant(now + wait)
        if isinstance(step, str):
            set_marks.append(f"m{len(set_marks)}")
            returned += buffer.receive(now, SetMark(set_marks[-1]))
        else:
            if isinstance(step, PlayAudio):
                sent.append((now, step.mulaw))
            returned += buffer.receive(now, step)
        assert buffer.due is None or buffer.due > now
    while (due := buffer.due) is not None:
        returned += buffer.advance(due)

    assert [mark.name for mark in returned] == set_marks
    heard = buffer.ledger.heard()
    assert sum(len(audio) for _, audio in heard) + buffer.flushed == buffer.received
    assert buffer.received == sum(len(audio) for _, audio in sent)
    # Each piece is the beginning of one that was sent, no earlier than it was sent, and none is used twice.
    origins = iter(sent)
    for began, audio in heard:
        assert any(when <= began and whole.startswith(audio) for when, whole in origins)
    ends = [began + 125 * len(audio) for began, audio in heard]
    assert all(end <= begin for end, (begin, _) in zip(ends, heard[1:], strict=False))
