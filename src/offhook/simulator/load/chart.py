"""The figures of a load test as lines of text."""

from collections.abc import Iterator, Sequence

from offhook.simulator.load.search import BEHIND, LATE, SLOWER, Level

HEADER = (
    f"{'calls':>5} {'delay p50':>9} {'p95':>6} {'clear p50':>9} {'p95':>6} {'loop p99':>8} {'callers':>7}"
    f" {'in/s':>6} {'out/s':>6} {'CPU/call':>9} {'starved':>7} {'MB':>6}"
)
CLEAR = 150_000
"""Microseconds from the first sound of a caller who breaks in to the `clear`."""
SHARES = {"alone": (10_000, 25_000), "all": (20_000, 50_000)}
"""Median and 95th percentile of the server's own share of the reply delay, with one call and with all."""
STARVED = 0.05
"""From this share of the time without a core on, delays say more of the machine than of the server."""
_WIDTH = 50

Goal = tuple[str, float | None, float]
"""What, what was measured, and the most that it may be; None: not known."""


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


def bars(levels: Sequence[Level]) -> Iterator[str]:
    """The plot of delay against calls."""
    ordered = sorted(levels, key=lambda level: level.calls)
    longest = max(level.delay_p95 for level in ordered) or 1
    yield "reply delay, 95th percentile, ms"
    for level in ordered:
        yield f"{level.calls:>5} {'█' * max(1, round(_WIDTH * level.delay_p95 / longest))} {level.delay_p95 / 1000:.0f}"


def costs(levels: Sequence[Level], idle: Level, core: Level | None) -> Iterator[str]:
    """What a call costs. `core` is the last level's number of calls again, with stages that do no HTTP."""
    last = levels[-1]
    if idle.cpu_per_call_second is not None:
        yield f"CPU s per second of a call that only holds the line, {idle.calls} calls: {idle.cpu_per_call_second:.5f}"
    if last.cpu_per_call_second is not None:
        words = f"CPU s per second of a call on the profile, {last.calls} calls: {last.cpu_per_call_second:.5f}"
        if core and core.cpu_per_call_second is not None:
            clients = last.cpu_per_call_second - core.cpu_per_call_second
            words += f" = {core.cpu_per_call_second:.5f} core + {clients:.5f} the providers' clients"
            words += " (other work on this machine hides them)" * (clients < 0)
        yield words
    ordered = sorted(levels, key=lambda level: level.calls)
    least, most = ordered[0], ordered[-1]
    if least.memory and most.memory and most.calls > least.calls:
        yield f"memory per call: {(most.memory - least.memory) / (most.calls - least.calls) / 1e6:.2f} MB"
    yield (
        f"messages per second, {last.calls} calls: {last.sent_per_second:.0f} in, {last.received_per_second:.0f} out"
    )
    if last.hearing_p99 is not None:
        yield f"a batch of hearing takes at most {last.hearing_p99 / 1000:g} ms (99th percentile)"


def goals(alone: Level, last: Level, storm: Level | None) -> list[Goal]:
    """The figures that there are goals for; times in microseconds."""
    rows: list[Goal] = []
    for name, level in ("alone", alone), ("all", last):
        of = f", {level.calls} call{'s' * (level.calls != 1)}"
        if level.barge_ins:
            rows.append((f"breaking in to clear, p50{of}", level.clear_p50, CLEAR))
            rows.append((f"breaking in to clear, p95{of}", level.clear_p95, CLEAR))
        for words, figure, most in zip(("p50", "p95"), (level.share_p50, level.share_p95), SHARES[name], strict=True):
            rows.append((f"own share of the reply delay, {words}{of}", figure, most))
    rows.append(("reply delay p95, more than with one call", last.delay_p95 - alone.delay_p95, SLOWER))
    rows.append(("event loop late, p99", last.server_late_p99, LATE))
    rows.append(("replies that ran dry", last.underruns, 0))
    rows.append(("hearing behind", last.behind, BEHIND))
    if storm:
        rows.append((f"calls harmed while {sum(storm.storm.values())} more ring", storm.harmed, 0))
    return rows


def verdicts(rows: Sequence[Goal]) -> Iterator[str]:
    """One line for each goal. A count's goal is 0, a share's less than 1; everything else is told in milliseconds."""
    yield f"{'':<52}{'measured':>10}{'goal':>8}"
    for what, figure, most in rows:
        unit, sign = (1, "") if not most else (0.01, " %") if most < 1 else (1_000, " ms")
        met = "not known" if figure is None else "met" if figure <= most else "MISSED"
        shown = "-" if figure is None else f"{figure / unit:.{int(unit < 1)}f}{sign}"
        yield f"{what:<52}{shown:>10}{most / unit:>8.0f}  {met}"


def caveat(last: Level) -> Iterator[str]:
    """What is to be thought of the figures where others had the cores."""
    if last.starved and last.starved > STARVED:
        yield f"The server wanted a core and had none for {last.starved:.0%} of the time: the delays are the machine's."


def answers(storm: Level) -> Iterator[str]:
    """What became of those who rang while all lines were taken."""
    yield f"{sum(storm.storm.values())} more calls rang within ten seconds, while {storm.calls} were on the line:"
    for words, count in sorted(storm.storm.items(), key=lambda item: -item[1]):
        yield f"{count:>6}  {words}"
