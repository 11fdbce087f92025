"""Ringing a server on loopback: webhook, TwiML, signatures, and a call in real time over a real WebSocket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

import pytest
from servers import VOICE, Agent
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from offhook.carrier.twilio import messages
from offhook.carrier.twilio.signature import HEADER, validate_handshake, validate_webhook
from offhook.errors import CarrierError
from offhook.simulator import sounds
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.report import CallReport
from offhook.simulator.ring import ring

TOKEN = "a secret"


class House:
    """A WebSocket server with an `Agent` in it, and a webhook beside it that answers with TwiML."""

    def __init__(self) -> None:
        self.agents: list[Agent] = []
        self.forms: list[dict[str, str]] = []
        self.signed: list[bool] = []
        self.twiml = """<Response><Connect><Stream url="ws://{}/stream">
            <Parameter name="a" value="b"/></Stream></Connect></Response>"""
        self.twiml_after = ""
        self.status = "200 OK"
        self.webhook = self.stream = ""

    async def talk(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.signed.append(
            validate_handshake(TOKEN, f"ws://{self.stream}", "/stream", socket.request.headers.get(HEADER))
        )
        outbox: asyncio.Queue[str | None] = asyncio.Queue()
        agent = Agent(outbox.put_nowait, lambda: outbox.put_nowait(None))
        self.agents.append(agent)
        writer = asyncio.create_task(self.write(socket, outbox))
        async for text in socket:
            agent.on_text(str(text))
        agent.on_closed("closed")
        outbox.put_nowait(None)
        await writer

    async def write(self, socket: ServerConnection, outbox: asyncio.Queue[str | None]) -> None:
        while (text := await outbox.get()) is not None:
            await socket.send(text)
        await socket.close()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])}
        form = dict(parse_qsl((await reader.readexactly(int(fields["content-length"]))).decode()))
        self.forms.append(form)
        path = head.split()[1]
        self.signed.append(validate_webhook(TOKEN, f"http://{self.webhook}{path}", form, fields.get(HEADER)))
        body = (self.twiml_after if path == "/after" else self.twiml).replace("{}", self.stream)
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body.encode())}\r\n\r\n{body}".encode())
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    it = House()
    async with (
        serve(it.talk, "127.0.0.1", 0, process_request=_guard) as stream,
        await asyncio.start_server(it.answer, "127.0.0.1") as webhook,
    ):
        it.stream, it.webhook = _address(stream), _address(webhook)
        yield it


def _guard(socket: ServerConnection, request: Request) -> Response | None:
    return socket.respond(403, "no") if request.path == "/refused" else None


def _address(server: Server | asyncio.Server) -> str:
    return f"127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def interrupt(caller: SimulatedCaller) -> None:
    await caller.agent_speaks(timeout=5)
    await caller.pause(0.2)
    await caller.say(sounds.sound(VOICE * 800))
    await caller.agent_speaks(timeout=5)
    await caller.press("9")
    await caller.server_hangs_up(timeout=5)


def test_a_call_from_webhook_to_hang_up() -> None:
    async def main() -> tuple[House, CallReport]:
        async with house() as it:
            return it, await ring(f"http://{it.webhook}/voice", interrupt, auth_token=TOKEN, caller="+15550111")

    it, report = asyncio.run(main())
    assert it.signed == [True, True]
    (form,) = it.forms
    assert (form["CallSid"], form["From"]) == (report.identity.call_id, "+15550111")
    (agent,) = it.agents
    start = agent.got[1]
    assert isinstance(start, messages.Start)
    assert start.start.call_sid == report.identity.call_id
    assert start.start.custom_parameters == {"a": "b"}
    assert (report.ended_by, report.problems) == ("server", ())
    (turn,) = report.turns
    assert turn.stop_time is not None
    assert turn.response_delay is not None
    assert 0 < turn.stop_time < 200_000
    assert 480_000 <= turn.response_delay < 900_000
    # The schedule is absolute: as many frames as the call's length holds, however late each was.
    assert len(report.lateness) == pytest.approx(report.ended_at / 20_000, abs=10)


def test_the_action_is_asked_when_the_server_has_closed_the_stream() -> None:
    async def main() -> tuple[House, CallReport]:
        async with house() as it:
            it.twiml = """<Response><Connect action="after"><Stream url="ws://{}/stream"/></Connect></Response>"""
            it.twiml_after = "<Response><Say>Farewell.</Say></Response>"
            return it, await ring(f"http://{it.webhook}/voice", interrupt, auth_token=TOKEN)

    it, report = asyncio.run(main())
    assert it.signed == [True, True, True]
    assert [form["CallStatus"] for form in it.forms] == ["ringing", "in-progress"]
    assert (report.ended_by, report.problems) == ("server", ())
    assert [deed.words for deed in report.carrier] == ["says 'Farewell.'"]
    assert any("carrier says" in line for line in report.story)


def test_the_stream_itself_can_be_rung() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.pause(0.1)

    async def main() -> tuple[House, CallReport]:
        async with house() as it:
            report = await ring(f"ws://{it.stream}/stream", script, parameters={"x": "y"})
            return it, report

    it, report = asyncio.run(main())
    assert (it.signed, report.ended_by) == ([False], "caller")
    start = it.agents[0].got[1]
    assert isinstance(start, messages.Start)
    assert start.start.custom_parameters == {"x": "y"}
    assert it.agents[0].closed == ["closed"]


@pytest.mark.parametrize(
    ("twiml", "status", "words"),
    [
        ("<Response><Reject reason='busy'/></Response>", "200 OK", "answered <Reject>"),
        ("<Response><Connect>", "200 OK", "not TwiML"),
        ("no such page", "404 Not Found", r"HTTP 404 \(11200\): no such page"),
        ("<!DOCTYPE HTML>\r\n<html>\r\n", "501 Not Implemented", r"HTTP 501 \(11200\): Not Implemented\Z"),
        ("é" * 3_000, "500 Oh", r"HTTP 500 \(11200\): é{200}\Z"),
        ("<Response><Connect><Stream url='ws://127.0.0.1:1/'/></Connect></Response>", "200 OK", "nobody answers"),
        (
            "<Response><Connect><Stream url='ws://{}/refused'/></Connect></Response>",
            "200 OK",
            r"\(31920\).*403",
        ),
    ],
)
def test_what_keeps_a_call_from_coming_about(twiml: str, status: str, words: str) -> None:
    async def main() -> None:
        async with house() as it:
            it.twiml, it.status = twiml, status
            await ring(f"http://{it.webhook}/voice", interrupt)

    with pytest.raises(CarrierError, match=words):
        asyncio.run(main())


def test_what_answers_may_be_no_webhook_at_all() -> None:
    async def main() -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            await reader.read(1)  # the form is on its way: who closes before it comes resets the connection
            writer.write(b"SSH-2.0-OpenSSH\r\n")
            writer.close()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await ring(f"http://127.0.0.1:{port}/voice", interrupt)

    with pytest.raises(CarrierError, match=r"is no webhook \(11200\): SSH-2.0-OpenSSH\Z"):
        asyncio.run(main())
