"""Rings a real server as Twilio does: posts the voice webhook, reads the TwiML, opens the stream, and speaks."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping
from ipaddress import ip_address
from random import Random
from urllib.parse import urlencode, urljoin, urlsplit
from xml.etree import ElementTree

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from offhook.carrier.twilio.signature import HEADER, sign
from offhook.errors import CarrierError
from offhook.simulator.caller import Script, SimulatedCaller
from offhook.simulator.line import Line
from offhook.simulator.phone import Identity, Wire, identity
from offhook.simulator.report import CallReport
from offhook.values import Value

WEBHOOK_LIMIT = 15.0
"""Seconds that Twilio waits for a webhook (error 11200)."""

_HANDSHAKE_LIMIT = 10.0
_CLOSE_LIMIT = 2.0
_LONGEST_TWIML = 65_536


class Stream(Value, frozen=True):
    """What the TwiML says: where to stream to, and what to tell the server there."""

    url: str
    parameters: dict[str, str] = {}


async def ring(
    url: str,
    script: Script,
    *,
    line: Line | None = None,
    caller: str = "+15550100",
    called: str = "+15550199",
    parameters: Mapping[str, str] | None = None,
    auth_token: str = "",
    frame: int = 160,
) -> CallReport:
    """Make one call in real time.

    `url` is the voice webhook (http, https), or the stream itself (ws, wss), which is then told `parameters`. With an
    `auth_token` both are signed. Raises `CarrierError` where no call comes about, in Twilio's terms.
    """
    ids = identity(Random())
    if urlsplit(url).scheme in ("http", "https"):
        twiml = await asyncio.to_thread(_post, url, _form(ids, caller, called), auth_token)
        stream = read_twiml(twiml, url)
    else:
        stream = Stream(url)
    told = {**stream.parameters, **(parameters or {})}
    socket = await _open(stream.url, auth_token)
    try:
        return await _talk(socket, script, line, ids, told, frame)
    finally:
        await socket.close()


def read_twiml(twiml: str, base: str) -> Stream:
    """The two-way stream in a webhook's answer. `base` is the webhook's own address, for relative ones."""
    try:
        response = ElementTree.fromstring(twiml)
    except ElementTree.ParseError as error:
        raise CarrierError(f"the webhook's answer is not TwiML (12100): {error}") from None
    stream = response.find("Connect/Stream")
    if stream is None:
        verbs = ", ".join(f"<{verb.tag}>" for verb in response) or "nothing"
        raise CarrierError(f"the webhook did not connect the call to a stream; it answered {verbs}")
    url = urljoin(base, stream.get("url", ""))
    if url.startswith("http"):
        url = "ws" + url.removeprefix("http")
    named = {item.get("name", ""): item.get("value", "") for item in stream.findall("Parameter")}
    return Stream(url, named)


async def _talk(
    socket: ClientConnection,
    script: Script,
    line: Line | None,
    ids: Identity,
    parameters: Mapping[str, str],
    frame: int,
) -> CallReport:
    outbox: asyncio.Queue[str | None] = asyncio.Queue()
    wire = Wire(outbox.put_nowait, lambda: outbox.put_nowait(None))
    caller = SimulatedCaller(wire, line, ids, frame)
    tasks = [asyncio.create_task(_read(socket, caller, outbox)), asyncio.create_task(_write(socket, outbox))]
    try:
        return await caller.run(script, parameters)
    finally:
        await asyncio.gather(*tasks)


async def _read(socket: ClientConnection, caller: SimulatedCaller, outbox: asyncio.Queue[str | None]) -> None:
    try:
        async for message in socket:
            if isinstance(message, str):
                caller.on_text(message)
            else:
                caller.on_binary(len(message))
    except ConnectionClosed:
        pass  # a close without a handshake is a close
    caller.on_closed()
    outbox.put_nowait(None)


async def _write(socket: ClientConnection, outbox: asyncio.Queue[str | None]) -> None:
    try:
        while (text := await outbox.get()) is not None:
            await socket.send(text)
    except ConnectionClosed:
        return
    await socket.close()


async def _open(url: str, auth_token: str) -> ClientConnection:
    headers = {HEADER: sign(auth_token, url)} if auth_token else {}
    try:
        return await connect(
            url,
            additional_headers=headers,
            compression=None,
            max_size=None,
            open_timeout=_HANDSHAKE_LIMIT,
            close_timeout=_CLOSE_LIMIT,
            proxy=None if _is_loopback(url) else True,
        )
    except (InvalidHandshake, ValueError) as error:
        raise CarrierError(f"the stream at {url} was refused (31920): {error}") from None
    except (OSError, TimeoutError) as error:
        raise CarrierError(f"nobody answers at {url} (31901, 31902): {error or 'timed out'}") from None


def _post(url: str, form: Mapping[str, str], auth_token: str) -> str:
    """The webhook's answer. Blocks."""
    headers = {HEADER: sign(auth_token, url, form)} if auth_token else {}
    request = urllib.request.Request(url, urlencode(form).encode(), headers)
    proxies = urllib.request.ProxyHandler({} if _is_loopback(url) else None)
    try:
        with urllib.request.build_opener(proxies).open(request, timeout=WEBHOOK_LIMIT) as answer:
            body: bytes = answer.read(_LONGEST_TWIML)
    except urllib.error.HTTPError as error:
        with error:
            words = error.read(200).decode("utf-8", "replace").strip()
        raise CarrierError(f"the webhook at {url} answered HTTP {error.code} (11200): {words}") from None
    except OSError as error:
        raise CarrierError(f"the webhook at {url} cannot be reached (11200): {error}") from None
    return body.decode("utf-8", "replace")


def _form(ids: Identity, caller: str, called: str) -> dict[str, str]:
    return {
        "AccountSid": ids.account_id,
        "CallSid": ids.call_id,
        "From": caller,
        "To": called,
        "CallStatus": "ringing",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
    }


def _is_loopback(url: str) -> bool:
    """Whether a URL names this machine; a proxy would look for it elsewhere."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
