"""Positions: whatever the chunks, every byte has one place; what is missing is measured; nonsense costs nothing."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.carrier.events import Track
from offhook.carrier.twilio.positions import TOLERANCE, TrackClock


class Ear:
    """A clock together with what it was given and found odd."""

    def __init__(self) -> None:
        self.clock = TrackClock(Track.INBOUND)
        self.sound: list[tuple[int, bytes]] = []
        self.missing: list[int] = []
        self.odd: list[str] = []

    def hear(self, timestamp: Any, mulaw: bytes, chunk: Any = None) -> None:
        missing, flaw = self.clock.place(timestamp, chunk, mulaw, [self.clock])
        if flaw:
            self.odd.append(flaw.kind)
        if missing is not None:
            self.sound.append((self.clock.end - len(mulaw), mulaw))
            self.missing.append(missing)


def cut(signal: bytes, lengths: list[int]) -> list[tuple[int, bytes]]:
    """Pieces of a signal with their positions; the lengths repeat."""
    pieces, start, turn = [], 0, 0
    while start < len(signal):
        length = lengths[turn % len(lengths)]
        pieces.append((start, signal[start : start + length]))
        start, turn = start + length, turn + 1
    return pieces


@given(lengths=st.lists(st.integers(1, 900), min_size=1, max_size=20), begin=st.integers(0, 10_000), text=st.booleans())
def test_any_chunking_is_contiguous(lengths: list[int], begin: int, text: bool) -> None:
    signal = bytes(index % 251 for index in range(8_000))
    ear = Ear()
    for number, (start, mulaw) in enumerate(cut(signal, lengths)):
        at = begin + start // 8
        ear.hear(str(at) if text else at, mulaw, str(number))
    assert b"".join(mulaw for _, mulaw in ear.sound) == signal
    assert ear.sound[0][0] == begin * 8
    assert all(start + len(mulaw) == after for (start, mulaw), (after, _) in pairwise(ear.sound))
    assert ear.missing == [begin * 8] + [0] * (len(ear.sound) - 1)
    assert ear.odd == []


@given(
    lengths=st.lists(st.integers(20, 100).map(lambda eighths: eighths * 8), min_size=1, max_size=8),
    lost=st.sets(st.integers(1, 60)),
)
def test_lost_chunks_leave_gaps_of_their_size(lengths: list[int], lost: set[int]) -> None:
    ear = Ear()
    kept = [piece for number, piece in enumerate(cut(bytes(20_000), lengths)) if number not in lost]
    for number, (start, mulaw) in enumerate(kept):
        ear.hear(str(start // 8), mulaw, str(number))
    assert [start for start, _ in ear.sound] == [start for start, _ in kept]
    end = 0
    for (start, mulaw), missing in zip(ear.sound, ear.missing, strict=True):
        assert start == end + missing
        end = start + len(mulaw)
    assert ear.odd == []


@given(lengths=st.lists(st.integers(1, 300), min_size=1), lost=st.sets(st.integers(1, 200)))
def test_whatever_is_lost_positions_stay_near_the_truth(lengths: list[int], lost: set[int]) -> None:
    ear = Ear()
    kept = [piece for number, piece in enumerate(cut(bytes(12_000), lengths)) if number not in lost]
    for start, mulaw in kept:
        ear.hear(str(start // 8), mulaw)
    for (start, _), (truth, _) in zip(ear.sound, kept, strict=True):
        assert truth - TOLERANCE - 8 <= start <= truth


def test_ten_thousand_frames_none_lost_doubled_or_reordered() -> None:
    ear = Ear()
    frames = [index.to_bytes(4, "big") * 40 for index in range(10_000)]
    for index, frame in enumerate(frames):
        ear.hear(str(index * 20), frame, str(index + 1))
    assert ear.sound == [(index * 160, frame) for index, frame in enumerate(frames)]
    assert (ear.odd, sum(ear.missing)) == ([], 0)


@given(repeats=st.lists(st.tuples(st.integers(5, 60), st.integers(1, 10)), max_size=10))
def test_repeated_chunks_are_dropped(repeats: list[tuple[int, int]]) -> None:
    ear = Ear()
    for number in range(80):
        ear.hear(str(number * 20), bytes([number]) * 160, str(number + 1))
        for at, back in repeats:
            if at == number and back <= number:
                ear.hear(str((number - back) * 20), bytes([number - back]) * 160, str(number - back + 1))
    assert ear.sound == [(number * 160, bytes([number]) * 160) for number in range(80)]
    assert set(ear.odd) <= {"media_repeated"}
    assert bool(ear.odd) == any(back <= at for at, back in repeats)


@pytest.mark.parametrize(
    ("timestamp", "kind"),
    [
        (None, "bad_timestamp"),
        ("", "bad_timestamp"),
        ("NaN", "bad_timestamp"),
        (float("inf"), "bad_timestamp"),
        ([], "bad_timestamp"),
        ({}, "bad_timestamp"),
        ("-1", "bad_timestamp"),
        (-(10**30), "bad_timestamp"),
        ("9" * 5_000, "bad_timestamp"),
        ("9" * 30, "timestamp_leap"),
        (10**30, "timestamp_leap"),
        ("61001", "timestamp_leap"),
        ("200", "timestamp_backwards"),
        ("0", "timestamp_backwards"),
    ],
)
def test_a_timestamp_without_sense_costs_nothing(timestamp: object, kind: str) -> None:
    ear = Ear()
    for number in range(50):
        ear.hear(str(number * 20), bytes(160))
    ear.hear(timestamp, bytes(160))
    ear.hear("1020", bytes(160))
    assert [start for start, _ in ear.sound] == [number * 160 for number in range(52)]
    assert set(ear.odd) == {kind} or ear.odd == [kind, "timestamp_backwards"]


def test_the_first_timestamp_without_sense_is_zero() -> None:
    for nonsense in ("x", "-20", str(1_732_262_400_000)):
        ear = Ear()
        ear.hear(nonsense, bytes(160))
        assert ear.sound[0][0] == 0
        assert len(ear.odd) == 1


def test_a_clock_that_is_set_anew_still_measures_gaps() -> None:
    ear = Ear()
    for at in [*range(0, 2_000, 20), *range(0, 200, 20), *range(300, 400, 20)]:
        ear.hear(str(at), bytes(160))
    assert ear.odd == ["timestamp_backwards"]
    assert [missing for missing in ear.missing if missing] == [100 * 8]


def test_a_stretch_of_jitter_does_not_shift_what_follows() -> None:
    ear = Ear()
    for number in range(100):
        ear.hear(str(number * 20 + (15 if number % 2 else 0)), bytes(160))
    assert [start for start, _ in ear.sound] == [number * 160 for number in range(100)]
    assert ear.odd == []


def test_a_second_track_begins_where_the_first_one_is() -> None:
    caller, agent = TrackClock(Track.INBOUND), TrackClock(Track.OUTBOUND)
    for number in range(5_000):
        caller.place(str(number * 20), None, bytes(160), [caller, agent])
    assert agent.place("100000", None, bytes(160), [caller, agent]) == (800_000, None)
