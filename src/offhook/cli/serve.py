"""`offhook serve`: answer the telephone."""

import socket
import sys
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

Application = Callable[[str, Any, Any], Any]
"""Makes what a process serves: of an agent's name, the settings, and the process's `Post`, or None if it is alone. Each
worker gets it by its name, so it stands in a module."""


def serve(
    agent: Annotated[str, typer.Argument(metavar="AGENT.py[:NAME]", help="The file that holds the agent.")],
    host: Annotated[str | None, typer.Option(help="The address to listen on. [default: 127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on; 0: any. [default: 8080]")] = None,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="How Twilio reaches this server: https://…")
    ] = None,
    insecure: Annotated[
        bool | None, typer.Option("--insecure", help="Serve strangers without checking signatures.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that share the port. [default: one per core]")] = None,
    max_calls: Annotated[int | None, typer.Option(help="Calls at once, over all workers. [default: 100]")] = None,
    overflow: Annotated[
        str | None, typer.Option(help="One more is told: say, say:TEXT, queue:NAME, dial:NUMBER or reject.")
    ] = None,
    drain: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How long calls may finish once told to stop.")
    ] = None,
    record: Annotated[Path | None, typer.Option(metavar="DIR", help="Record each call here.")] = None,
    log_format: Annotated[str | None, typer.Option(metavar="text|json", help="How log lines look.")] = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Begin anew when the agent's file, or one beside it, changes.")
    ] = False,
) -> None:
    """Answer calls with the agent in a file.

    Every option can be set as OFFHOOK_… in the environment or in .env too. TWILIO_AUTH_TOKEN makes signatures be
    checked; without it only this machine is served.
    """
    from offhook.settings import Settings

    settings = Settings.load(
        host=host,
        port=port,
        public_url=public_url,
        insecure=insecure,
        workers=workers,
        max_calls=max_calls,
        overflow=overflow,
        drain=drain,
        record=record,
        log_format=log_format,
    )
    _serve(agent, settings, reload=reload)


def _require_key(agent: Any, settings: Any) -> None:
    """Say at once that OpenAI's key is missing, before anything is loaded for it."""
    from offhook.agent import Agent
    from offhook.errors import ConfigurationError

    if not isinstance(agent, Agent) or settings.openai_api_key.get_secret_value():
        return
    for given in (agent.stt, agent.llm, agent.tts, agent.speech):
        for name in given if isinstance(given, list | tuple) else [given]:
            if isinstance(name, str) and name.partition("/")[0].startswith("openai"):
                raise ConfigurationError(
                    f"{name}: OPENAI_API_KEY is not set (a compatible server that asks for no key takes any word)"
                )


def _serve(agent: str, settings: Any, *, reload: bool) -> None:
    """Listen, say where, and serve until told to stop."""
    from offhook.runtime.logs import logging_to
    from offhook.server.answers import VOICE_PATH
    from offhook.server.guard import refuse_exposure
    from offhook.server.listening import listen
    from offhook.server.workers.reloading import changes
    from offhook.settings import LogFormat

    refuse_exposure(settings)
    settings.export()
    workers = _workers(settings.workers, reload=reload)
    changed = changes(Path(agent.rsplit(".py:", 1)[0]).resolve().parent) if reload else None
    as_json = settings.log_format is LogFormat.JSON
    with listen(settings.host, settings.port) as listener, logging_to(as_json=as_json, level=settings.log_level):
        port = listener.getsockname()[1]
        base = settings.public_url or f"http://{settings.host}:{port}"

        def announce() -> None:
            print(f"Offhook listens on port {port}. Twilio's voice webhook (HTTP POST): {base}{VOICE_PATH}", flush=True)
            if not settings.twilio_auth_token.get_secret_value():
                whom = "strangers may call at your cost" if settings.insecure else "only this machine is served"
                print(f"Warning: there is no TWILIO_AUTH_TOKEN, so {whom}.", file=sys.stderr, flush=True)

        serve_on(listener, _application, agent, settings, workers, announce, changed)


def _workers(wanted: int | None, *, reload: bool) -> int:
    """How many processes serve; one where a change is to be seen at once and nobody says how many. Raises
    ConfigurationError where there can be only one."""
    from offhook.cli.cores import cores
    from offhook.errors import ConfigurationError

    if hasattr(socket, "send_fds"):
        return wanted or (1 if reload else cores())
    if reload or (wanted or 1) > 1:
        raise ConfigurationError("this system cannot pass connections between processes: leave --workers at 1")
    return 1


def _application(agent: str, settings: Any, post: Any) -> Any:
    from offhook.runtime.agentfile import load_agent
    from offhook.server.app import asgi_app

    answering = load_agent(agent)
    _require_key(answering, settings)
    return asgi_app(answering, settings, post=post)


def serve_on(
    listener: socket.socket,
    application: Application,
    agent: str,
    settings: Any,
    workers: int,
    announce: Callable[[], None],
    changes: AsyncIterator[str] | None = None,
) -> None:
    """Serve until told to stop: this very process alone or, with several `workers` or `changes` to follow, as their
    supervisor."""
    import asyncio
    import tempfile

    if workers == 1 and changes is None:
        from offhook.server.serving import PhoneServer

        PhoneServer(application(agent, settings, None), settings, announce).run_on(listener)
        return
    from offhook.server.workers.supervisor import Supervisor

    work = partial(_work, application)
    with tempfile.TemporaryDirectory(prefix="offhook-metrics-") as metrics:
        supervisor = Supervisor(work, agent, settings, workers, listener, Path(metrics), announce, changes)
        asyncio.run(supervisor.run())


def _work(application: Application, task: Any, control: socket.socket, connections: socket.socket) -> None:
    """What the process of one worker does: it serves what the supervisor hands over."""
    import signal
    from contextlib import suppress

    from offhook.errors import OffhookError
    from offhook.runtime.logs import logging_to
    from offhook.settings import LogFormat, share_metrics

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: None)  # a handler, not SIG_IGN: that one our own children would inherit
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    share_metrics(task.metrics)
    settings, last_words = task.settings, control.dup()
    as_json = settings.log_format is LogFormat.JSON
    try:
        with logging_to(as_json=as_json, level=settings.log_level):
            _serve_handed_over(application, task, control, connections)
    except OffhookError as error:
        from offhook.server.workers.messages import Failed, encode

        last_words.setblocking(True)
        with suppress(ConnectionError):  # the supervisor may be gone
            last_words.sendall(encode(Failed(str(error))))
        sys.exit(2)


def _serve_handed_over(application: Application, task: Any, control: socket.socket, connections: socket.socket) -> None:
    from offhook.server.desk import Post
    from offhook.server.workers.desk import WorkerDesk
    from offhook.server.workers.serving import WorkerServer

    desk = WorkerDesk(control)
    post = Post(desk, task.worker, task.secret, task.metrics)
    served = application(task.agent, task.settings, post)
    WorkerServer(served, task.settings, desk, connections).run_on()
