"""Rings a real server as Twilio does: posts the voice webhook, reads the TwiML, opens the stream, and speaks."""

import asyncio
import dataclasses
import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_address
from random import Random
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from offhook.carrier.twilio.signature import HEADER, sign
from offhook.errors import CarrierError
from offhook.simulator.caller import Script, SimulatedCaller
from offhook.simulator.line import Line
from offhook.simulator.phone import Identity, Wire, identity
from offhook.simulator.report import CallReport
from offhook.simulator.twiml import CarrierScript, Dialling, Stream, somebody_answers

WEBHOOK_LIMIT = 15.0
"""Seconds that Twilio waits for a webhook (error 11200)."""

_HANDSHAKE_LIMIT = 10.0
_CLOSE_LIMIT = 2.0
_LONGEST_TWIML = 65_536
_LONGEST_WORDS = 200
"""Characters of what a refusal says: a server that is no telephone answers with a page."""


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
    dialling: Dialling = somebody_answers,
) -> CallReport:
    """Make one call in real time.

    `url` is the voice webhook (http, https), or the stream itself (ws, wss), which is then told `parameters`. With an
    `auth_token` all is signed. What the TwiML says is done: when the server closes the stream, its `action` is asked;
    whoever is to be dialled then is left to `dialling`. Raises `CarrierError` where no call comes about, in Twilio's
    terms.
    """
    ids = identity(Random())
    carrier = CarrierScript(partial(ask, auth_token), form_of(ids, caller, called), dialling)
    stream = await carrier.begin(url) if urlsplit(url).scheme in ("http", "https") else Stream(url)
    socket = await _open(stream.url, auth_token)
    wire = _Wire(socket)
    person = SimulatedCaller(wire.ends, line, ids, frame)
    carrier.tell = person.carrier_did
    carrying = asyncio.create_task(_carry(wire, person, carrier, auth_token))
    try:
        report = await person.run(script, {**stream.parameters, **(parameters or {})})
    finally:
        if person.held:
            carrying.cancel()
            await asyncio.wait({carrying})
            await carrier.caller_gone()
        else:
            await carrying
    return dataclasses.replace(report, problems=(*report.problems, *carrier.problems))


class _Wire:
    """An open socket, and what waits to be sent over it: text, then None for a close."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self.ends = Wire(self._outbox.put_nowait, lambda: self._outbox.put_nowait(None))

    async def carry(self, person: SimulatedCaller) -> None:
        """Until the socket is closed, by whichever side."""
        writing = asyncio.create_task(self._write())
        try:
            async for message in self.socket:
                if isinstance(message, str):
                    person.on_text(message)
                else:
                    person.on_binary(len(message))
        except ConnectionClosed:
            pass  # a close without a handshake is a close
        finally:
            self.ends.close()
            await writing
            await self.socket.close()

    async def _write(self) -> None:
        try:
            while (text := await self._outbox.get()) is not None:
                await self.socket.send(text)
        except ConnectionClosed:
            return
        await self.socket.close()


async def _carry(wire: _Wire, person: SimulatedCaller, carrier: CarrierScript, auth_token: str) -> None:
    """Carry the call from stream to stream, as the TwiML says, until it says no more or the caller has hung up."""
    await wire.carry(person)
    while await person.hold():
        stream = await carrier.stream_ended()
        if stream is None:
            person.end()
            return
        try:
            wire = _Wire(await _open(stream.url, auth_token))
        except CarrierError as error:
            carrier.problems.append(str(error))
            continue
        person.resume(wire.ends, identity(Random()).stream_id, stream.parameters)
        await wire.carry(person)


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


async def ask(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    return await asyncio.to_thread(_post, url, form, auth_token)


def _post(url: str, form: Mapping[str, str], auth_token: str) -> str:
    """The webhook's answer. Blocks."""
    headers = {HEADER: sign(auth_token, url, form)} if auth_token else {}
    request = urllib.request.Request(url, urlencode(form).encode(), headers)
    try:
        with opener(url).open(request, timeout=WEBHOOK_LIMIT) as answer:
            body: bytes = answer.read(_LONGEST_TWIML)
    except urllib.error.HTTPError as error:
        with error:
            words = error.read(4 * _LONGEST_WORDS).decode("utf-8", "replace").strip()
            words = error.reason if words.startswith("<") else words.partition("\n")[0].rstrip()[:_LONGEST_WORDS]
        raise CarrierError(f"the webhook at {url} answered HTTP {error.code} (11200): {words}") from None
    except http.client.HTTPException as error:
        raise CarrierError(f"what answers at {url} is no webhook (11200): {str(error).strip() or 'no HTTP'}") from None
    except OSError as error:
        raise CarrierError(f"the webhook at {url} cannot be reached (11200): {error}") from None
    return body.decode("utf-8", "replace")


def opener(url: str) -> urllib.request.OpenerDirector:
    """What opens a URL: through the environment's proxy, unless it is on this machine."""
    return urllib.request.build_opener(urllib.request.ProxyHandler({} if _is_loopback(url) else None))


def form_of(ids: Identity, caller: str, called: str) -> dict[str, str]:
    return {
        "AccountSid": ids.account_id,
        "CallSid": ids.call_id,
        "From": caller,
        "To": called,
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
