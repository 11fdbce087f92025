"""`offhook bench`: how many calls a server holds, and what one costs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer


def bench(
    url: Annotated[
        str, typer.Argument(help="A server, its webhook, or a stream (ws://…). None: one of our own is begun.")
    ] = "",
    say: Annotated[
        Path | None, typer.Option(metavar="FILE.wav", help="What callers say; else the local voice speaks.")
    ] = None,
    calls: Annotated[int | None, typer.Option(help="Measure so many calls, and look for no limit.")] = None,
    most: Annotated[int, typer.Option(help="The most calls that are tried.")] = 400,
    seconds: Annotated[float, typer.Option(help="How long each number of calls is measured.")] = 36.0,
    pid: Annotated[int | None, typer.Option(help="The server's process, if it is on this machine.")] = None,
    scripted: Annotated[
        bool, typer.Option("--scripted", help="Our own server's providers do no HTTP: its own work alone.")
    ] = False,
    json: Annotated[Path | None, typer.Option(metavar="FILE", help="Write all figures there.")] = None,
) -> None:
    """Call a server with more and more callers in real time, until it does not keep up.

    Each speaks for three seconds in twelve and breaks into one reply in five. Calls keep up while the 95th percentile
    of the reply delay is within 50 ms of one call's, no reply runs dry, no call is lost and the server's event loop is
    at most 20 ms late. Beware: another's server pays for the tokens of every call.
    """
    import asyncio

    from offhook.cli.ring import webhook
    from offhook.settings import Settings
    from offhook.simulator.load.manager import Target
    from offhook.simulator.load.profile import Profile

    spoken = asyncio.run(_speech(say))
    profile = Profile(spoken, _line_noise())
    if url:
        token = Settings.load().twilio_auth_token.get_secret_value()
        _bench(Target(webhook(url), pid, token), profile, calls, most, seconds, json)
        return
    with _own_server(most if calls is None else calls, scripted=scripted) as target:
        _bench(target, profile, calls, most, seconds, json)


def _bench(target: Any, profile: Any, calls: int | None, most: int, seconds: float, json: Path | None) -> None:
    """Measure, tell as it goes, and sum up."""
    import msgspec

    from offhook.simulator.load import chart, search
    from offhook.simulator.load.manager import level

    alone = level(target, msgspec.structs.replace(profile, barge_in_every=3), 1, max(seconds, 60.0))
    measured = [alone]
    print(chart.HEADER)
    print(chart.row(alone, []))

    def keeps_up(count: int) -> bool:
        found = level(target, profile, count, seconds)
        faults = search.faults(found, alone)
        measured.append(found)
        print(chart.row(found, faults), flush=True)
        return not faults

    if calls is None:
        limit = search.largest(keeps_up, 20, most)
        print(f"\n{limit} calls keep up.\n")
    elif calls > 1:
        keeps_up(calls)
    idle = level(target, msgspec.structs.replace(profile, speech=b""), min(100, calls or most), 10.0)
    print("\n".join(chart.summary(measured, idle)))
    if json:
        json.write_bytes(msgspec.json.format(msgspec.json.encode({"idle": idle, "levels": measured})))


async def _speech(file: Path | None) -> bytes:
    """What the callers say, without the silence around it, at the telephone's level."""
    from offhook.cli.ring import utterance_of
    from offhook.simulator import sounds
    from offhook.simulator.load.agents import SAID

    found = sounds.from_file(file, dbov=-25.0) if file else await utterance_of(SAID)
    trimmed: bytes = found.mulaw[found.start : found.end]
    return trimmed


def _line_noise() -> bytes:
    """A second of what a line sounds like while nobody speaks: noise at -65 dBov."""
    import numpy as np

    from offhook.audio import mulaw

    dice = np.random.default_rng(1)
    return mulaw.encode(np.rint(dice.standard_normal(8_000) * 18.4).astype(np.int16))


@contextmanager
def _own_server(lines: int, *, scripted: bool) -> Iterator[Any]:
    """A server in a process of its own and, unless `scripted`, an OpenAI-compatible one in another."""
    import multiprocessing

    from offhook.server.webhooks import VOICE_PATH
    from offhook.simulator.load.manager import Target

    spawn = multiprocessing.get_context("spawn")
    processes = []

    def begin(work: Callable[..., None], *args: object) -> tuple[Any, int | None]:
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(theirs, *args), daemon=True)
        process.start()
        processes.append(process)
        return ours.recv(), process.pid

    try:
        base = "" if scripted else begin(_openai)[0]
        port, pid = begin(_server, lines, base)
        yield Target(f"http://127.0.0.1:{port}{VOICE_PATH}", pid)
    finally:
        for process in processes:
            process.terminate()
            process.join(10)
            process.kill()


def _openai(parent: Any) -> None:
    """The process of the local OpenAI-compatible server."""
    import asyncio

    import uvloop

    from offhook.simulator.load.agents import script
    from offhook.simulator.openai_server.server import LocalOpenAI

    async def serve() -> None:
        async with LocalOpenAI(script()) as server:
            parent.send(server.base_url)
            await asyncio.get_running_loop().create_future()

    uvloop.run(serve())


def _server(parent: Any, lines: int, base_url: str) -> None:
    """The process of the server that is called. An empty `base_url`: its providers are scripted."""
    from offhook.server.app import asgi_app
    from offhook.server.serving import PhoneServer, listen
    from offhook.settings import Settings
    from offhook.simulator.load import agents

    settings = Settings.load(
        port=0,
        max_calls=lines,
        drain=0.0,
        twilio_auth_token="",
        openai_base_url=base_url or None,
        openai_api_key="none",
    )
    settings.export()
    application = asgi_app(agents.served() if base_url else agents.scripted(), settings)
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        PhoneServer(application, settings, lambda: parent.send(port)).run_on(listener)
