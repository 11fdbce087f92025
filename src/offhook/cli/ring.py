"""`offhook ring`: call a running server as Twilio would."""

from typing import Annotated, Any

import typer


def ring(
    url: Annotated[str, typer.Argument(help="A server (http://127.0.0.1:8080), its webhook, or a stream (ws://…).")],
    say: Annotated[
        list[str] | None, typer.Option(metavar="FILE|TEXT", help="A WAV file, or words. May be repeated.")
    ] = None,
    press: Annotated[list[str] | None, typer.Option(metavar="DIGITS", help="Keys, once all was said.")] = None,
    caller: Annotated[str, typer.Option("--from", metavar="NUMBER", help="Who calls.")] = "+15550100",
    called: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Who is called.")] = "+15550199",
) -> None:
    """Ring a server; each time it falls quiet, say the next thing; then tell what happened.

    With TWILIO_AUTH_TOKEN in the environment the call is signed as Twilio's are. Exit code 1: the server stayed
    silent, or did what a carrier does not accept.
    """
    import asyncio

    complaints = asyncio.run(_call(webhook(url), say or [], press or [], caller, called))
    for complaint in complaints:
        typer.echo(f"problem: {complaint}", err=True)
    if complaints:
        raise typer.Exit(1)


async def _call(url: str, say: list[str], press: list[str], caller: str, called: str) -> list[str]:
    """Make the call, print its story, and return what was wrong with it."""
    from offhook.settings import Settings
    from offhook.simulator.caller import SimulatedCaller
    from offhook.simulator.ring import ring as make_call

    utterances = [await utterance_of(each) for each in say]
    complaints = []

    async def script(person: SimulatedCaller) -> None:
        try:
            for utterance in utterances:
                await person.listen_until_quiet()
                await person.say(utterance)
            for keys in press:
                await person.listen_until_quiet()
                await person.press(keys)
            await person.listen_until_quiet()
        except TimeoutError as error:
            complaints.append(str(error))

    token = Settings.load().twilio_auth_token.get_secret_value()
    report = await make_call(url, script, caller=caller, called=called, auth_token=token)
    print("\n".join(report.story))
    for turn in report.turns:
        delay = "no reply" if turn.response_delay is None else f"reply after {turn.response_delay / 1_000:.0f} ms"
        print(f"{turn.said.label!r}: {delay}")
    return [*complaints, *report.problems]


def webhook(url: str) -> str:
    """A server's bare address means its voice webhook. Raises ConfigurationError for what is no address."""
    from urllib.parse import urlsplit

    from offhook.errors import ConfigurationError

    wanted = ConfigurationError(f"{url} is no address: http://HOST:PORT or ws://… is wanted")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        raise wanted from None
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
        raise wanted
    bare = parts.path in ("", "/") and parts.scheme in ("http", "https")
    return url.rstrip("/") + "/twilio/voice" if bare else url


async def utterance_of(given: str) -> Any:
    """A file's sound, or words as the local voice speaks them."""
    import asyncio
    from pathlib import Path

    from offhook.errors import ConfigurationError
    from offhook.simulator import sounds
    from offhook.simulator.load.material import spoken

    if await asyncio.to_thread(Path(given).is_file):
        return sounds.from_file(Path(given))
    if given.lower().endswith(".wav"):
        raise ConfigurationError(f"there is no file {given}")
    return await spoken(given)
