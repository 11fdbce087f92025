"""`offhook`: one file per verb. Nothing heavy is imported before a verb runs."""

import os
import sys

import typer

from offhook.cli.bench import bench
from offhook.cli.demo import demo
from offhook.cli.replay import replay
from offhook.cli.ring import ring
from offhook.cli.score import score
from offhook.cli.serve import serve
from offhook.errors import OffhookError

app = typer.Typer(
    help="A server that picks up the phone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(demo)
app.command()(serve)
app.command()(ring)
app.command()(replay)
app.command()(score)
app.command()(bench)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    print(installed("offhook"))


def main() -> None:
    """The console script. What Offhook raises on purpose is one line on standard error, and exit code 2."""
    # One thread is fastest for matrices as small as ours, and leaves the other cores to other work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        app()
    except OffhookError as error:
        print(f"offhook: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
