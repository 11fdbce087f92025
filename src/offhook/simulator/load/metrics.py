"""What a server says of itself at `/metrics`, before and after; nothing where it says nothing."""

from urllib.parse import urlsplit

from offhook.simulator.ring import opener

Metrics = dict[str, float]
"""Samples of the Prometheus text format, by name and labels as they are written there."""

LATENESS = "offhook_loop_lateness_seconds"
HEARING = "offhook_hearing_batch_seconds"
BACKLOG = "offhook_hearing_backlog_total"

_PATIENCE = 5.0


def fetch(url: str) -> Metrics:
    """The metrics of the server that has this webhook or stream."""
    parts = urlsplit(url)
    address = f"{parts.scheme.replace('ws', 'http')}://{parts.netloc}/metrics"
    try:
        with opener(address).open(address, timeout=_PATIENCE) as answer:
            return parse(answer.read().decode())
    except (OSError, UnicodeDecodeError):
        return {}


def parse(text: str) -> Metrics:
    """Each sample's value; lines that are none are passed over."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        try:
            found[name] = float(value)
        except ValueError:
            continue
    return found


def counted(before: Metrics, after: Metrics, name: str) -> int | None:
    """By how much a counter has grown."""
    return round(after[name] - before.get(name, 0.0)) if name in after else None


def p99(before: Metrics, after: Metrics, name: str) -> int | None:
    """The 99th percentile, in microseconds, of what a histogram of seconds counted between: its bucket's bound. 10 s
    stand for more than its longest."""
    head, tail = f'{name}_bucket{{le="', '"}'
    counts = {
        float(sample.removeprefix(head).removesuffix(tail)): count - before.get(sample, 0.0)
        for sample, count in after.items()
        if sample.startswith(head)
    }
    if not counts or not max(counts.values()):
        return None
    enough = 0.99 * max(counts.values())
    bound = min(bound for bound, count in counts.items() if count >= enough)
    return 10_000_000 if bound == float("inf") else round(bound * 1_000_000)
