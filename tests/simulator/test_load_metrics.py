"""What a server says of itself, read before and after."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from offhook.simulator.load import metrics


def test_counters_and_histograms_tell_what_came_between() -> None:
    registry = CollectorRegistry()
    late = Histogram("offhook_loop_lateness_seconds", "late", buckets=(0.001, 0.02, 1.0), registry=registry)
    behind = Counter("offhook_hearing_backlog", "behind", registry=registry)
    late.observe(0.5)
    behind.inc(3)
    before = metrics.parse(generate_latest(registry).decode())
    assert metrics.p99(before, before, metrics.LATENESS) is None, "nothing was counted since"
    for _ in range(99):
        late.observe(0.0005)
    late.observe(0.01)
    behind.inc(2)
    after = metrics.parse(generate_latest(registry).decode())
    assert metrics.p99(before, after, metrics.LATENESS) == 1_000
    assert metrics.counted(before, after, metrics.BACKLOG) == 2
    late.observe(30.0)
    late.observe(30.0)
    longest = metrics.parse(generate_latest(registry).decode())
    assert metrics.p99(before, longest, metrics.LATENESS) == 10_000_000


def test_a_server_that_says_nothing_is_not_known() -> None:
    assert metrics.fetch("http://127.0.0.1:9/twilio/voice") == {}
    assert metrics.p99({}, {}, metrics.LATENESS) is None
    assert metrics.counted({}, {}, metrics.BACKLOG) is None


@given(st.text())
def test_whatever_a_server_says_is_read(text: str) -> None:
    assert all(isinstance(value, float) for value in metrics.parse(text).values())
