"""The ledger against a simulated carrier: what it believes was heard is what was played."""

import heapq
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.audio.playout import Fate, Ledger
from offhook.carrier.commands import ClearAudio, Command, PlayAudio, SetMark
from offhook.simulator.playout import CarrierBuffer
from offhook.timebase import SAMPLE_US, Instant, lasting, ms, seconds

FRAME = bytes(160)
TICK = 20_000


class Distant:
    """A ledger here and a carrier's buffer there, with a delay each way between them, to which `jitter` may add."""

    def __init__(self, delay: int, jitter: int = 0, seed: int = 0) -> None:
        self.ledger = Ledger()
        self.buffer = CarrierBuffer()
        self.fates: list[tuple[str, Fate]] = []
        self.believed: list[int] = []
        self.true: list[int] = []
        """Behind each `clear`: the offset where hearing stopped, as the ledger has it and as it was."""
        self.now = 0
        self._delay = delay
        self._jitter = jitter
        self._random = Random(seed)
        self._latest = {Command: 0, str: 0}
        self._events: list[tuple[int, int, Any]] = []
        self._count = 0

    def play(self, count: int, mulaw: bytes = b"") -> None:
        self.ledger.play(Instant(self.now), count)
        self._send(PlayAudio(mulaw or bytes(count)))

    def mark(self, name: str) -> None:
        self.ledger.mark(Instant(self.now), name)
        self._send(SetMark(name))

    def clear(self) -> None:
        self.believed.append(self.ledger.clear(Instant(self.now)))
        self._send(ClearAudio())

    def wait(self, time: int) -> None:
        """Let everything happen that happens in that time, in order."""
        until = self.now + time
        while True:
            due = self.buffer.due
            first = self._events[0][0] if self._events else until + 1
            if due is not None and due <= min(first, until):
                self._back(due, self.buffer.advance(due))
            elif first <= until:
                when, _, event = heapq.heappop(self._events)
                self.now = max(self.now, when)
                self._happen(when, event)
            else:
                break
        self.now = until

    def _happen(self, when: int, event: Command | str) -> None:
        if isinstance(event, str):
            self.fates.append((event, self.ledger.reached(Instant(when), event)))
            return
        flushed = self.buffer.flushed
        self._back(when, self.buffer.receive(Instant(when), event))
        if isinstance(event, ClearAudio):
            self.true.append(self.buffer.received - (self.buffer.flushed - flushed))

    def _back(self, when: int, marks: Any) -> None:
        for mark in marks:
            self._push(self._arrival(when, str), mark.name)

    def _send(self, command: Command) -> None:
        self._push(self._arrival(self.now, Command), command)

    def _arrival(self, when: int, way: Any) -> int:
        """Each way is a stream: what is late holds up what follows."""
        late = when + self._delay + int(self._random.random() * self._jitter)
        self._latest[way] = max(self._latest[way], late)
        return self._latest[way]

    def _push(self, when: int, event: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (when, self._count, event))


delays = st.integers(0, 400_000)
orders = st.lists(
    st.one_of(
        st.tuples(st.just("play"), st.integers(1, 4_000)),
        st.tuples(st.just("play"), st.integers(1, 4_000)),
        st.tuples(st.just("mark"), st.just(0)),
        st.tuples(st.just("wait"), st.integers(0, 700_000)),
        st.tuples(st.just("wait"), st.integers(0, 700_000)),
        st.tuples(st.just("clear"), st.just(0)),
    ),
    max_size=60,
)


@given(delays, orders)
def test_what_was_heard_when_we_clear(delay: int, story: list[tuple[str, int]]) -> None:
    world = Distant(delay)
    for number, (order, value) in enumerate(story):
        match order:
            case "play":
                world.play(value)
            case "mark":
                world.mark(f"m{number}")
            case "wait":
                world.wait(value)
            case _:
                world.clear()
    world.wait(seconds(60))
    assert len(world.believed) == len(world.true)
    for believed, true in zip(world.believed, world.true, strict=True):
        # To 2 ms; where nothing had been measured when it was sent, no worse.
        assert abs(believed - true) <= 16
    ledger = world.ledger
    assert ledger.sent == world.buffer.received
    assert abs(ledger.flushed - world.buffer.flushed) <= 16 * len(world.believed)
    assert ledger.heard(Instant(world.now)) == ledger.sent


@given(delays, st.integers(1_000, 100_000), st.integers(0, 9), orders)
def test_jitter_costs_no_more_than_itself(delay: int, jitter: int, seed: int, story: list[tuple[str, int]]) -> None:
    world = Distant(delay, jitter, seed)
    for number, (order, value) in enumerate(story):
        match order:
            case "play":
                world.play(value)
            case "mark":
                world.mark(f"m{number}")
            case "wait":
                world.wait(value)
            case _:
                world.clear()
    world.wait(seconds(60))
    for believed, true in zip(world.believed, world.true, strict=True):
        assert abs(believed - true) <= 16 + 3 * jitter // SAMPLE_US
    assert world.ledger.heard(Instant(world.now)) == world.ledger.sent


@given(delays, orders)
def test_every_mark_comes_back_once_and_tells_its_fate(delay: int, story: list[tuple[str, int]]) -> None:
    world = Distant(delay)
    names = []
    for number, (order, value) in enumerate(story):
        if order == "play":
            world.play(value)
            world.mark(f"m{number}")
            names.append(f"m{number}")
        elif order == "clear":
            world.clear()
        else:
            world.wait(value)
    world.wait(seconds(60))
    assert [name for name, _ in world.fates] == names
    assert all(fate is not Fate.UNKNOWN for _, fate in world.fates)
    if not world.believed:
        assert all(fate is Fate.PLAYED for _, fate in world.fates)
    for name in names:
        assert world.ledger.reached(Instant(world.now), name) is Fate.UNKNOWN


@given(delays)
def test_a_mark_on_an_empty_buffer_measures_the_round_trip(delay: int) -> None:
    world = Distant(delay)
    world.mark("first")
    world.wait(seconds(1))
    assert world.ledger.round_trip == 2 * delay


@given(delays, st.integers(1, 40))
def test_marks_behind_audio_measure_it_too(delay: int, frames: int) -> None:
    world = Distant(delay)
    for number in range(frames):
        world.play(160)
        world.mark(str(number))
        world.wait(TICK // 2)
    world.wait(seconds(10))
    # The carrier begins with a whole sample.
    assert 0 <= world.ledger.round_trip - 2 * delay < SAMPLE_US
    assert world.ledger.ends() >= lasting(160 * frames) + 2 * delay


def test_nothing_is_believed_before_its_time() -> None:
    ledger = Ledger()
    assert ledger.play(Instant(1_000_000), 8_000) == 0
    assert ledger.heard(Instant(1_000_000)) == 0
    assert ledger.heard(Instant(1_500_000)) == 4_000
    assert ledger.heard(Instant(9_000_000)) == 8_000
    assert ledger.play(Instant(9_000_000), 80) == 8_000
    assert ledger.heard(Instant(9_000_000)) == 8_000


def test_a_queue_on_the_way_only_adds() -> None:
    """One slow return among quick ones does not make the round trip longer, nor move what was heard."""
    ledger = Ledger()
    ledger.play(Instant(0), 8_000)
    for number, late in enumerate((40, 40, 400, 40), 1):
        ledger.mark(Instant(0), str(number))
        ledger.reached(Instant(ms(1_000 + late)), str(number))
    assert ledger.round_trip == ms(40)
    assert ledger.ends() == ms(1_040)  # type: ignore[comparison-overlap]


def test_a_carrier_that_stood_still_is_noticed() -> None:
    """What the last two marks of a run are both late by is how far the carrier is behind."""
    ledger = Ledger()
    ledger.mark(Instant(0), "empty")
    ledger.reached(Instant(ms(50)), "empty")
    for number in range(1, 6):
        ledger.play(Instant(0), 1_600)
        ledger.mark(Instant(0), str(number))
    ledger.reached(Instant(ms(250)), "1")
    ledger.reached(Instant(ms(450 + 300)), "2")
    before = ledger.heard(Instant(ms(800)))
    ledger.reached(Instant(ms(650 + 300)), "3")
    assert before == 6_400
    assert ledger.heard(Instant(ms(950))) == 5_200
    assert ledger.ends() == ms(1_000 + 300 + 50)  # type: ignore[comparison-overlap]


def test_what_a_mark_proves_stays_heard() -> None:
    ledger = Ledger()
    ledger.play(Instant(0), 1_600)
    ledger.mark(Instant(0), "early")
    ledger.reached(Instant(ms(100)), "early")
    assert ledger.heard(Instant(ms(100))) == 1_600


def test_marks_that_come_back_because_of_a_clear_were_not_heard() -> None:
    ledger = Ledger()
    ledger.play(Instant(0), 800)
    ledger.mark(Instant(0), "heard")
    ledger.play(Instant(0), 8_000)
    ledger.mark(Instant(0), "unheard")
    assert ledger.clear(Instant(ms(500))) == 4_000
    assert ledger.flushed == 4_800
    assert ledger.reached(Instant(ms(510)), "heard") is Fate.PLAYED
    assert ledger.reached(Instant(ms(510)), "unheard") is Fate.CLEARED
    assert ledger.reached(Instant(ms(520)), "unheard") is Fate.UNKNOWN
    # What follows begins behind everything that was sent.
    assert ledger.play(Instant(ms(600)), 160) == 8_800
    assert ledger.heard(Instant(ms(610))) == 8_880


def test_clearing_twice_flushes_once() -> None:
    ledger = Ledger()
    ledger.play(Instant(0), 8_000)
    ledger.clear(Instant(ms(500)))
    assert ledger.clear(Instant(ms(700))) == 8_000
    assert ledger.flushed == 4_000


def test_a_name_is_used_once() -> None:
    ledger = Ledger()
    ledger.mark(Instant(0), "one")
    with pytest.raises(AssertionError):
        ledger.mark(Instant(0), "one")


@pytest.mark.parametrize("delay", [0, 30_000, 150_000])
def test_ten_thousand_frames(delay: int) -> None:
    """None lost, doubled or reordered: each starts where the one before it ended, and is heard when its time comes,
    byte for byte.
    """
    world = Distant(delay)
    sound = Random(7).randbytes(10_000 * 160)
    for number in range(10_000):
        assert world.ledger.sent == number * 160
        world.play(160, sound[number * 160 : (number + 1) * 160])
        world.mark(str(number))
        world.wait(TICK)
    world.wait(seconds(2))
    assert [name for name, _ in world.fates] == [str(number) for number in range(10_000)]
    assert {fate for _, fate in world.fates} == {Fate.PLAYED}
    assert world.ledger.sent == world.ledger.heard(Instant(world.now)) == 1_600_000
    assert world.ledger.flushed == world.buffer.flushed == 0
    assert b"".join(piece for _, piece in world.buffer.ledger.pieces()) == sound
    assert world.buffer.ledger.between(delay // 125, world.buffer.ledger.end) == sound
