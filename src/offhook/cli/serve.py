"""`offhook serve`: answer the telephone."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer


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
    max_calls: Annotated[int | None, typer.Option(help="Calls at once; one more is told to call later.")] = None,
    drain: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="How long calls may finish once told to stop.")
    ] = None,
    record: Annotated[Path | None, typer.Option(metavar="DIR", help="Record each call here.")] = None,
    log_format: Annotated[str | None, typer.Option(metavar="text|json", help="How log lines look.")] = None,
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
        max_calls=max_calls,
        drain=drain,
        record=record,
        log_format=log_format,
    )
    _serve(agent, settings)


def _require_key(agent: Any, settings: Any) -> None:
    """Say at once that OpenAI's key is missing: its SDK takes a second to be imported before it would."""
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


def _serve(agent: str, settings: Any) -> None:
    """Listen, say where, and serve until told to stop."""
    from offhook.runtime.agentfile import load_agent
    from offhook.runtime.logs import logging_to
    from offhook.server.app import asgi_app
    from offhook.server.guard import refuse_exposure
    from offhook.server.serving import PhoneServer, listen
    from offhook.server.webhooks import VOICE_PATH
    from offhook.settings import LogFormat

    refuse_exposure(settings)
    settings.export()
    answering = load_agent(agent)
    _require_key(answering, settings)
    application = asgi_app(answering, settings)
    as_json = settings.log_format is LogFormat.JSON
    with listen(settings.host, settings.port) as listener, logging_to(as_json=as_json, level=settings.log_level):
        port = listener.getsockname()[1]
        base = settings.public_url or f"http://{settings.host}:{port}"

        def announce() -> None:
            print(f"Offhook listens on port {port}. Twilio's voice webhook (HTTP POST): {base}{VOICE_PATH}", flush=True)
            if not settings.twilio_auth_token.get_secret_value():
                whom = "strangers may call at your cost" if settings.insecure else "only this machine is served"
                print(f"Warning: there is no TWILIO_AUTH_TOKEN, so {whom}.", file=sys.stderr, flush=True)

        PhoneServer(application, settings, announce).run_on(listener)
