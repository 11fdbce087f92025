"""The caller's sound by position."""

import random

from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.ring import CallerAudio


def test_ten_thousand_frames_of_any_length_byte_for_byte() -> None:
    dice = random.Random(7)
    sound = dice.randbytes(1_600_000)
    kept, at, base = CallerAudio(), 0, 5_000
    for _ in range(10_000):
        size = dice.choice((0, 1, 20, 159, 160, 161, 320))
        kept.write(base + at, sound[at : at + size])
        at += size
        if dice.random() < 0.01:
            back = dice.randrange(1, 4_000)
            assert kept.slice(base + at - back, base + at) == sound[max(0, at - back) : at].rjust(back, b"\xff")
    assert kept.end == base + at
    assert kept.slice(base, base + at) == sound[:at]


def test_a_minute_is_held_whole_and_what_is_forgotten_takes_no_room() -> None:
    kept = CallerAudio()
    for frame in range(50 * 3_600):
        kept.write(frame * 160, bytes(160))
        kept.forget(frame * 160 - 60 * 8_000)
    assert kept.slice(kept.end - 480_000, kept.end) == bytes(480_000)
    assert kept._mulaw.__sizeof__() < 3 * 480_000


def test_gaps_are_silence_and_what_is_there_stays() -> None:
    kept = CallerAudio()
    kept.write(10, b"aaaa")
    kept.write(16, b"bb")
    kept.write(12, b"cccccccc")
    kept.write(0, b"dd")
    assert kept.slice(8, 22) == b"\xff\xffaaaa\xff\xffbbcc\xff\xff"
    assert kept.slice(12, 12) == kept.slice(14, 12) == b""


def test_over_a_gap_of_an_hour_what_came_before_is_forgotten() -> None:
    kept = CallerAudio()
    kept.write(0, b"aaaa")
    kept.write(8_000 * 3_600, b"bb")
    assert kept.end == 8_000 * 3_600 + 2
    assert kept.slice(0, 4) == b"\xff" * 4
    assert kept.slice(kept.end - 3, kept.end) == b"\xffbb"


write = st.tuples(st.just("write"), st.integers(0, 900), st.binary(max_size=60))
forget = st.tuples(st.just("forget"), st.integers(0, 900), st.just(b""))


@given(st.lists(write | forget, max_size=30), st.integers(0, 1_000), st.integers(0, 300))
def test_like_a_dictionary_of_positions(steps: list[tuple[str, int, bytes]], start: int, length: int) -> None:
    kept, model = CallerAudio(), dict[int, int]()
    end: int | None = None
    for step, position, data in steps:
        if step == "forget":
            kept.forget(position)
            model = {at: byte for at, byte in model.items() if at >= position}
            continue
        kept.write(position, data)
        end = position if end is None else end
        model |= {position + at: byte for at, byte in enumerate(data) if position + at >= end}
        end = max(end, position + len(data))
    assert kept.slice(start, start + length) == bytes(model.get(at, 0xFF) for at in range(start, start + length))
