"""`offhook demo`: a whole call on this machine, without an account, a key or a network."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    caller_audio: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Recordings of a human caller, instead of a synthesized one.")
    ] = None,
    record: Annotated[Path, typer.Option(metavar="DIR", help="Where the recording and the tape go.")] = Path("calls"),
    limit: Annotated[float, typer.Option(metavar="SECONDS", min=1, help="Give up after this long.")] = 110.0,
) -> None:
    """A simulated caller books a meeting room, over a real WebSocket, while you watch.

    Exit code 1: no room was booked, or the call was not over in time.
    """
    import asyncio

    from offhook.cli.rehearsal import Demonstration

    demonstration = Demonstration(record, caller_audio)
    if not asyncio.run(demonstration.run(limit)):
        raise typer.Exit(1)
