"""The figures of a load test as lines of text."""

from collections.abc import Iterator, Sequence

from offhook.simulator.load.search import Level

HEADER = (
    f"{'calls':>5} {'delay p50':>9} {'p95':>6} {'clear p50':>9} {'p95':>6} {'loop p99':>8} {'callers':>7}"
    f" {'in/s':>6} {'out/s':>6} {'CPU/call':>9} {'starved':>7} {'MB':>6}"
)
_WIDTH = 50


def row(level: Level, faults: Sequence[str]) -> str:
    """One line; times in milliseconds."""
    late = "-" if level.server_late_p99 is None else f"<{level.server_late_p99 / 1000:g}"
    cpu = "-" if level.cpu_per_call_second is None else f"{level.cpu_per_call_second:.5f}"
    starved = "-" if level.starved is None else f"{level.starved:.0%}"
    memory = "-" if level.memory is None else f"{level.memory / 1e6:.0f}"
    cells = (
        f"{level.calls:>5} {level.delay_p50 / 1000:>9.0f} {level.delay_p95 / 1000:>6.0f}"
        f" {level.clear_p50 / 1000:>9.0f} {level.clear_p95 / 1000:>6.0f} {late:>8}"
        f" {level.callers_late_p99 / 1000:>7.1f} {level.sent_per_second:>6.0f} {level.received_per_second:>6.0f}"
        f" {cpu:>9} {starved:>7} {memory:>6}"
    )
    return "  ".join([cells, "; ".join(faults)]).rstrip()


def summary(levels: Sequence[Level], idle: Level) -> Iterator[str]:
    """The plot of delay against calls, and what a call costs."""
    ordered = sorted(levels, key=lambda level: level.calls)
    longest = max(level.delay_p95 for level in ordered) or 1
    yield "reply delay, 95th percentile, ms"
    for level in ordered:
        yield f"{level.calls:>5} {'█' * max(1, round(_WIDTH * level.delay_p95 / longest))} {level.delay_p95 / 1000:.0f}"
    if idle.cpu_per_call_second is not None:
        yield f"CPU per second of a call that only holds the line: {idle.cpu_per_call_second:.5f} s"
    least, most = ordered[0], ordered[-1]
    if least.memory and most.memory and most.calls > least.calls:
        yield f"memory per call: {(most.memory - least.memory) / (most.calls - least.calls) / 1e6:.2f} MB"
