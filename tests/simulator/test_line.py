"""Delay, jitter and loss of a line, from a seed."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.line import Leg, Line, Loss
from offhook.timebase import Instant, ms


def test_a_clean_line_adds_nothing() -> None:
    leg = Leg(Line(), "up")
    assert [leg.arrival(Instant(now)) for now in (0, 5, 5, 9)] == [0, 5, 5, 9]
    assert not any(Loss(Line(), 20).next() for _ in range(1000))


@given(st.lists(st.integers(0, 300_000), max_size=50), st.integers(0, 5))
def test_jitter_delays_and_keeps_the_order(waits: list[int], seed: int) -> None:
    leg, now, latest = Leg(Line(delay_ms=30, jitter_ms=200, seed=seed), "up"), 0, 0
    for wait in waits:
        now += wait
        arrival = leg.arrival(Instant(now))
        assert max(latest, now + ms(30)) <= arrival <= max(latest, now + ms(230))
        latest = arrival


def test_loss_comes_in_bursts_of_the_given_length_and_share() -> None:
    loss = Loss(Line(loss=0.02, burst_ms=100, seed=3), 20)
    fates = "".join("x" if loss.next() else "." for _ in range(200_000))
    bursts = [burst for burst in fates.split(".") if burst]
    assert 0.018 < fates.count("x") / len(fates) < 0.022
    assert 4.5 < sum(map(len, bursts)) / len(bursts) < 5.5


def test_a_seed_is_a_story_and_directions_differ() -> None:
    line = Line(jitter_ms=100, seed=1)
    one, same, other = (
        [leg.arrival(Instant(now * 1_000_000)) for now in range(20)]
        for leg in (Leg(line, "up"), Leg(line, "up"), Leg(line, "down"))
    )
    assert one == same != other
