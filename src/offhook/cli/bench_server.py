"""The servers that `offhook bench` begins: the one that is called, and the providers' stand-in."""

import logging
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

STARTING, LOOK = 60.0, 0.1
"""Seconds that a server may take until it is ready; seconds between two looks at whether it is."""


class Own(NamedTuple):
    """A server of ours. `overrun` says by how many microseconds its providers' stand-in has been slower than it was
    told to be since it was last asked, in the median of each stage; None where the stages do no HTTP, since nobody
    watches those."""

    target: Any
    overrun: Callable[[], int | None]


@contextmanager
def own_server(lines: int, workers: int = 1, *, scripted: bool) -> Iterator[Own]:
    """A server of so many workers, which are ready, and, unless `scripted`, an OpenAI-compatible one beside it."""
    import multiprocessing

    from offhook.server.answers import VOICE_PATH
    from offhook.simulator.load.manager import Target

    spawn = multiprocessing.get_context("spawn")
    processes = []

    def begin(work: Callable[..., None], *args: object) -> tuple[Any, int | None]:
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(theirs, *args))  # no daemon: those may have no workers
        process.start()
        theirs.close()
        processes.append(process)
        return ours, process.pid

    def overrun() -> int:
        stand_in.send("overrun")
        found: int = stand_in.recv()
        return found

    try:
        stand_in: Any = None if scripted else begin(_openai)[0]
        ours, pid = begin(_server, lines, workers, "" if scripted else _told(stand_in))
        base = f"http://127.0.0.1:{_told(ours)}"
        _wait_until_ready(base)
        target = Target(base + VOICE_PATH, pid)
        yield Own(target, (lambda: None) if scripted else overrun)
    finally:
        for process in processes:
            process.terminate()
            process.join(10)
            process.kill()


def _told(child: Any) -> Any:
    """Where a server of ours is. Raises OffhookError where it has ended instead."""
    from offhook.errors import OffhookError

    try:
        return child.recv()
    except EOFError:
        raise OffhookError("our own server did not start: what it said stands above") from None


def _wait_until_ready(base: str) -> None:
    """Until all workers are."""
    import time
    from urllib.error import HTTPError

    from offhook.errors import OffhookError
    from offhook.simulator.ring import opener

    for _ in range(round(STARTING / LOOK)):
        try:
            opener(base).open(base + "/readyz", timeout=STARTING).close()
            return
        except HTTPError as error:
            error.close()
            time.sleep(LOOK)
        except OSError:
            raise OffhookError("our own server has ended: what it said stands above") from None
    raise OffhookError(f"our own server has not been ready within {STARTING:g} s")


def _openai(parent: Any) -> None:
    """The process of the local OpenAI-compatible server."""
    import asyncio

    import uvloop

    from offhook.simulator.load.agents import script
    from offhook.simulator.openai_server.server import LocalOpenAI

    async def serve() -> None:
        async with LocalOpenAI(script()) as server:

            def tell() -> None:
                parent.recv()
                parent.send(_overrun(server.requests))
                server.requests.clear()

            asyncio.get_running_loop().add_reader(parent.fileno(), tell)
            parent.send(server.base_url)
            await asyncio.get_running_loop().create_future()

    uvloop.run(serve())


def _overrun(requests: Any) -> int:
    """Microseconds beyond what it was told, from a transcript's request to the first sound of the reply."""
    from offhook.simulator.load import agents
    from offhook.simulator.openai_server.log import Stage

    told = {Stage.TRANSCRIPTION: agents.TRANSCRIPTION, Stage.CHAT: agents.FIRST_TOKEN, Stage.SPEECH: agents.SPEECH}
    late = 0.0
    for stage, wait in told.items():
        answered = [request for request in requests.of(stage) if request.first and request.ended]
        if answered:
            late += statistics.median(request.first - request.began for request in answered) - wait * 1e6
        written = [request for request in answered if stage is Stage.CHAT and not request.cancelled]
        if written:
            words = len(agents.REPLY.split())
            token = statistics.median(request.ended - request.first for request in written) / (words - 1)
            late += (token - 1e6 / agents.TOKENS_PER_SECOND) * agents.CLAUSE
    return round(late)


def _server(parent: Any, lines: int, workers: int, base_url: str) -> None:
    """The process of the server that is called. An empty `base_url`: its providers are scripted."""
    from offhook.cli.serve import serve_on
    from offhook.server.listening import listen
    from offhook.settings import Settings

    settings = Settings.load(
        public_url="",
        port=0,
        max_calls=lines,
        overflow="say",
        drain=0.0,
        twilio_auth_token="",
        log_level="error",  # that lines are busy is what a storm is for
    ).model_copy(update={"record": None})
    settings.export()
    logging.getLogger("offhook").setLevel(logging.ERROR)
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        serve_on(listener, _application, base_url, settings, workers, lambda: parent.send(port))


def _application(base_url: str, settings: Any, post: Any) -> Any:
    from offhook.server.app import asgi_app
    from offhook.simulator.load import agents

    return asgi_app(agents.served(base_url) if base_url else agents.scripted(), settings, post=post)
