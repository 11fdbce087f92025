"""`offhook bench`: how many calls a server holds, and what one costs."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

ALONE = 60.0
"""Seconds, at the least, for which one call is measured: the others are compared with it."""
CYCLE = 12.0
"""Seconds, at the least, for any number of calls: one cycle of the call profile, in which each caller speaks once."""


def bench(
    url: Annotated[
        str, typer.Option(help="A server, its webhook, or a stream (ws://…). None: one of our own is begun.")
    ] = "",
    say: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="What callers say; else the local voice speaks.")
    ] = None,
    calls: Annotated[int | None, typer.Option(min=1, help="Measure so many calls, and look for no limit.")] = None,
    most: Annotated[int, typer.Option(min=1, help="The most calls that are tried.")] = 400,
    seconds: Annotated[float, typer.Option(min=CYCLE, help="How long each number of calls is measured.")] = 36.0,
    storm: Annotated[
        bool, typer.Option("--storm", help="Then, with all lines taken, have three times as many ring in ten seconds.")
    ] = False,
    pid: Annotated[
        int | None, typer.Option(help="The server's process, if it is on this machine. Its workers count.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes of our own server.")] = 1,
    scripted: Annotated[
        bool, typer.Option("--scripted", help="Our own server's providers do no HTTP: its own work alone.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw delay against calls there.")] = None,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all figures there.")] = None,
) -> None:
    """Call a server with more and more callers in real time, until it does not keep up.

    Calls keep up while the 95th percentile of the reply delay is within 50 ms of one call's, no reply runs dry, no call
    is lost and the server's event loop is at most 20 ms late. Beware: your server pays for the tokens of every call.
    """
    import asyncio

    from offhook.cli.ring import webhook
    from offhook.simulator.load import material

    url = url and webhook(url)
    _require(plot, json)
    profile = asyncio.run(material.profile(say))
    run = Others(url, pid, profile, seconds) if url else Bench(profile, seconds, workers, scripted=scripted)
    limit = run.measure(calls, most)
    lines = calls or limit or 1
    idle, core, stormy = run.idle(min(100, lines)), run.core(lines), run.storm(lines) if storm else None
    _keep(run.summary(idle, core, stormy, None if calls else limit), plot, json)


def _require(plot: Path | None, json: Path | None) -> None:
    """Raises ConfigurationError where what is found could not be kept, before minutes are spent on it."""
    from offhook.cli.files import require_writable
    from offhook.simulator.load import plot as picture

    if plot:
        picture.require()
    require_writable(plot)
    require_writable(json)


def _keep(found: dict[str, Any], plot: Path | None, json: Path | None) -> None:
    """Draw it, and write it as JSON that people can read too."""
    import msgspec

    from offhook.cli.files import writing
    from offhook.simulator.load import plot as picture

    if plot:
        with writing(plot):
            picture.draw(found["levels"], found["limit"], plot)
    if json:
        with writing(json):
            json.write_bytes(msgspec.json.format(msgspec.json.encode(found)))


class Bench:
    """Measures servers of our own, and tells as it goes."""

    def __init__(self, profile: Any, seconds: float, workers: int | None, *, scripted: bool = False) -> None:
        self.levels: list[Any] = []
        self.workers = workers
        """None: not known."""
        self._profile = profile
        self._seconds = seconds
        self._scripted = scripted
        self._ideal = 0

    def _begin(self, stack: ExitStack, lines: int, *, scripted: bool) -> tuple[Any, Callable[[], int | None]]:
        """A server for so many calls, and what says which part of a reply's delay is none of its doing."""
        from offhook.cli.bench_server import own_server
        from offhook.simulator.load import ideal

        self._ideal = self._ideal or ideal.delay(self._profile)
        server = stack.enter_context(own_server(lines, self.workers or 1, scripted=scripted))

        def outside() -> int | None:
            overrun = server.overrun()
            return None if overrun is None else self._ideal + overrun

        return server.target, outside

    def measure(self, calls: int | None, most: int) -> int:
        """One call, then so many or ever more. The largest number that keeps up."""
        from msgspec.structs import replace

        from offhook.errors import OffhookError
        from offhook.simulator.load import chart, search

        if self.workers and self.workers > 1:
            print(f"{self.workers} workers")
        print(chart.HEADER)
        with ExitStack() as stack:
            server = self._begin(stack, calls or most, scripted=self._scripted)
            often = replace(self._profile, barge_in_every=3)
            alone = self._level(server, often, 1, max(self._seconds, ALONE))
            if alone.refused:
                raise OffhookError(f"no call came about: {'; '.join(alone.problems)}")
            self._tell(alone, [])

            def keeps_up(count: int) -> bool:
                found = self._level(server, self._profile, count, self._seconds)
                faults = search.faults(found, alone)
                self._tell(found, faults)
                return not faults

            if calls is None:
                return search.largest(keeps_up, 20, most)
            return calls if calls == 1 or search.tried(keeps_up, calls) else 0

    def idle(self, calls: int) -> Any:
        """Calls that only hold the line."""
        from msgspec.structs import replace

        with ExitStack() as stack:
            server = self._begin(stack, calls, scripted=True)
            return self._level(server, replace(self._profile, speech=b""), calls, 10.0)

    def core(self, calls: int) -> Any | None:
        """So many calls again, whose stages do no HTTP: what is left is the server's own work."""
        if self._scripted:
            return None
        with ExitStack() as stack:
            return self._level(self._begin(stack, calls, scripted=True), self._profile, calls, min(24.0, self._seconds))

    def storm(self, calls: int) -> Any:
        """With all lines taken, three times as many ring."""
        with ExitStack() as stack:
            server = self._begin(stack, calls, scripted=self._scripted)
            return self._level(server, self._profile, calls, max(self._seconds, 24.0), storm=3 * calls)

    def summary(self, idle: Any, core: Any, storm: Any, limit: int | None) -> dict[str, Any]:
        """Print it, and return all figures."""
        from offhook.simulator.load import chart, search

        alone, fine = self.levels[0], [level for level in self.levels if level.calls == limit]
        last = fine[-1] if fine else self.levels[-1]
        print()
        if limit is not None:
            print(f"{limit} calls keep up." + (f" Proposed: --max-calls {search.proposed(limit)}" if limit else ""))
        goals = chart.goals(alone, last, storm)
        costs = chart.costs([*(each for each in self.levels if each is not last), last], idle, core)
        stormy = chart.answers(storm) if storm else ()
        parts = ["\n".join(part) for part in (chart.bars(self.levels), costs, stormy, chart.verdicts(goals))]
        print("\n\n".join([*filter(None, parts), *chart.caveat(last)]))
        named = [{"what": what, "measured": figure, "most": most} for what, figure, most in goals]
        return {
            "workers": self.workers,
            "limit": limit,
            "max_calls": search.proposed(limit) if limit else None,
            "goals": named,
            "levels": self.levels,
            "idle": idle,
            "core": core,
            "storm": storm,
        }

    def _level(
        self, server: tuple[Any, Callable[[], int | None]], profile: Any, calls: int, seconds: float, **more: int
    ) -> Any:
        from msgspec.structs import replace

        from offhook.simulator.load.manager import level

        target, outside = server
        outside()
        found = level(target, profile, calls, seconds, **more)
        return replace(found, outside=outside() if found.turns else None)

    def _tell(self, level: Any, faults: list[str]) -> None:
        from offhook.simulator.load import chart

        self.levels.append(level)
        print(chart.row(level, faults), flush=True)


class Others(Bench):
    """Measures a server that runs already, whatever its providers are."""

    def __init__(self, url: str, pid: int | None, profile: Any, seconds: float) -> None:
        from offhook.settings import Settings
        from offhook.simulator.load.manager import Target

        super().__init__(profile, seconds, None)
        self._target = Target(url, pid, Settings.load().twilio_auth_token.get_secret_value())

    def _begin(self, stack: ExitStack, lines: int, *, scripted: bool) -> tuple[Any, Callable[[], int | None]]:
        return self._target, lambda: None

    def core(self, calls: int) -> None:
        """Nothing of it is known."""
