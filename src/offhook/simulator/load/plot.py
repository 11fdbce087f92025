"""The delays of a load test as a picture."""

from collections.abc import Sequence
from pathlib import Path

from offhook.errors import ConfigurationError
from offhook.simulator.load.search import SLOWER, Level


def require() -> None:
    """Raises ConfigurationError where nothing can be drawn."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "--plot draws with matplotlib, which is not installed: pip install matplotlib"
        ) from None


def draw(levels: Sequence[Level], limit: int | None, file: Path) -> None:
    """Delay and `clear` against the number of calls, as a PNG. `limit`: how many keep up, if that was looked for."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ordered = sorted(levels, key=lambda level: level.calls)
    calls = [level.calls for level in ordered]
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="calls", ylabel="ms", title="Reply delay against calls")
    for name, style in ("delay_p50", "o-"), ("delay_p95", "o-"), ("clear_p50", "s--"), ("clear_p95", "s--"):
        label = name.replace("delay", "reply delay").replace("clear", "breaking in to clear").replace("_", ", ")
        axes.plot(calls, [getattr(level, name) / 1_000 for level in ordered], style, label=label)
    axes.axhline((ordered[0].delay_p95 + SLOWER) / 1_000, color="grey", linestyle=":", label="delay p95, at most")
    if limit:
        axes.axvline(limit, color="grey", linewidth=0.8, label=f"{limit} calls keep up")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize="small")
    FigureCanvasAgg(figure)
    figure.savefig(file, format="png")
