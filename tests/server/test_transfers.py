"""A caller is connected to somebody else, or comes back: what Twilio is told, in whichever order it asks."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from xml.etree import ElementTree

import pytest
from doors import (
    OPERATOR,
    TOKEN,
    EchoDriver,
    Running,
    begin,
    hear,
    ids,
    plain,
    ringing,
    run,
    serving,
    stream_of,
    until_closed,
)
from kit import agent
from test_rest import Desk
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from offhook.call.inputs import TransferOrdered
from offhook.call.outputs import AgentSaid, CallEnded, Report, Transferred
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.signature import sign
from offhook.server import answers, transfers
from offhook.server.answers import AFTER_PATH, DIALLED_PATH, STATUS_PATH
from offhook.server.live import LiveEngine
from offhook.server.rest import Rest
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.ring import ring

CALL, STREAM = ids(1)
ACCOUNT = "AC" + "0" * 32
CHILD = {"CallSid": ids(7)[0], "ParentCallSid": CALL}


def verbs(document: str) -> list[str]:
    return [verb.tag for verb in ElementTree.fromstring(document)]


def lost(document: str) -> bool:
    return [(verb.tag, verb.text) for verb in ElementTree.fromstring(document)] == [
        ("Say", answers.LOST),
        ("Hangup", None),
    ]


async def post(server: Running, path: str, **more: str) -> str:
    """Twilio asks about call 1, which goes on as far as it knows."""
    answer = await server.post(path, ringing(1, **{"CallStatus": "in-progress", **more}))
    assert answer.status_code in (200, 204), answer.text
    return answer.text


async def key(phone: ClientConnection, digit: str, stream: str = STREAM) -> None:
    await phone.send(messages.dtmf(stream, digit, sequence=2))


@asynccontextmanager
async def calling(server: Running) -> AsyncIterator[ClientConnection]:
    """Call 1, on a stream that our own TwiML has opened."""
    _, parameters = stream_of(await post(server, "/twilio/voice"))
    async with server.dial() as phone:
        for text in begin(1, **parameters):
            await phone.send(text)
        yield phone


@asynccontextmanager
async def returning(server: Running, document: str, number: int = 9) -> AsyncIterator[ClientConnection]:
    """Call 1 on another stream."""
    _, parameters = stream_of(document)
    async with server.dial() as phone:
        await phone.send(messages.connected())
        await phone.send(messages.start(ids(number)[1], CALL, ACCOUNT, parameters=parameters))
        yield phone


async def transferred(server: Running) -> str:
    """Call 1, up to where Twilio rings the operator; the TwiML that it was given for that."""
    async with calling(server) as phone:
        await key(phone, "*")
        await until_closed(phone)
        assert phone.close_code == 1000
    return await post(server, AFTER_PATH)


def driver(server: Running) -> EchoDriver:
    (only,) = server.engine.drivers
    assert isinstance(only, EchoDriver)
    return only


def test_the_twiml_asks_what_comes_after_the_stream_and_has_a_fallback_besides() -> None:
    async def scenario() -> None:
        async with serving() as server:
            response = ElementTree.fromstring(await post(server, "/twilio/voice"))
            assert response[0].attrib["action"] == server.base + AFTER_PATH
            assert [verb.tag for verb in response] == ["Connect", "Say", "Hangup"]

    run(scenario())


def test_a_caller_is_connected() -> None:
    async def scenario() -> None:
        async with serving() as server:
            (dial,) = ElementTree.fromstring(await transferred(server))
            (number,) = dial
            assert (dial.tag, number.tag, number.text) == ("Dial", "Number", OPERATOR)
            assert dial.attrib == {
                "action": server.base + DIALLED_PATH,
                "timeout": str(transfers.RING),
                "answerOnBridge": "true",
            }
            assert number.attrib == {"statusCallback": server.base + STATUS_PATH, "statusCallbackEvent": "answered"}
            assert server.taken == 1
            assert not driver(server).over
            assert verbs(await post(server, DIALLED_PATH, DialCallStatus="completed")) == ["Hangup"]
            assert driver(server).transfers == [""]
            await asyncio.sleep(0)
            assert server.taken == 0
            assert driver(server).finished == 1
            assert server.exchange.outcomes.find(CALL).dialled == "completed"

    run(scenario())


def test_the_line_is_free_as_soon_as_somebody_answers(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with serving(max_calls=1) as server:
            await transferred(server)
            await server.post(STATUS_PATH, {**CHILD, "CallStatus": "ringing"})
            assert server.taken == 1
            await server.post(STATUS_PATH, {**CHILD, "CallStatus": "in-progress"})
            assert server.taken == 0
            assert driver(server).transfers == [""]
            assert server.exchange.outcomes.find(CALL).dialled == "answered"
            await server.post(STATUS_PATH, {**CHILD, "CallStatus": "completed"})
            assert verbs(await post(server, DIALLED_PATH, DialCallStatus="completed")) == ["Hangup"]
            assert driver(server).transfers == [""]

    caplog.set_level(logging.INFO, "offhook.server")
    run(scenario())
    assert f"[status] call='{CHILD['CallSid']}' 'in-progress'" in caplog.text


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
def test_where_nobody_answers_the_agent_has_the_caller_back(status: str) -> None:
    async def scenario() -> None:
        async with serving(max_calls=1) as server:
            await transferred(server)
            document = await post(server, DIALLED_PATH, DialCallStatus=status)
            assert driver(server).transfers == [status]
            async with returning(server, document) as phone:
                assert await hear(phone) == status.encode()
                back = driver(server)
                assert (back.transfers, back.streams) == ([status], 2)
                assert back.started is not None
                assert back.started.stream_id == ids(9)[1]
                assert server.exchange.switchboard.find(ids(9)[1]) is server.exchange.switchboard.find(CALL)
                await phone.send(messages.media(ids(9)[1], b"\x11" * 160, sequence=2, chunk=1, timestamp=0))
                assert await hear(phone) == b"\x11" * 160
                await key(phone, "#", ids(9)[1])
                await until_closed(phone)
            assert verbs(await post(server, AFTER_PATH)) == ["Hangup"]
            await server.idle()
            assert server.taken == 0

    run(scenario())


def test_a_caller_can_be_sent_away_again_and_again() -> None:
    async def scenario() -> None:
        async with serving() as server:
            await transferred(server)
            for number in range(10, 13):
                document = await post(server, DIALLED_PATH, DialCallStatus="busy")
                async with returning(server, document, number) as phone:
                    await hear(phone)
                    await key(phone, "*", ids(number)[1])
                    await until_closed(phone)
                assert verbs(await post(server, AFTER_PATH)) == ["Dial"]
            await post(server, DIALLED_PATH, DialCallStatus="completed")
            assert driver(server).transfers == ["busy", "busy", "busy", ""]

    run(scenario())


def test_twilio_may_ask_twice_and_before_the_socket_is_seen_to_be_closed() -> None:
    async def scenario() -> None:
        async with serving() as server, calling(server) as phone:
            await key(phone, "*")
            while CALL not in server.exchange.transfers:  # noqa: ASYNC110
                await asyncio.sleep(0)
            assert verbs(await post(server, AFTER_PATH)) == verbs(await post(server, AFTER_PATH)) == ["Dial"]
            first = await post(server, DIALLED_PATH, DialCallStatus="busy")
            second = await post(server, DIALLED_PATH, DialCallStatus="busy")
            assert verbs(first) == verbs(second) == ["Connect", "Say", "Hangup"]
            async with returning(server, second) as again:
                assert await hear(again) == b"busy"
                await phone.close()
                await again.send(messages.media(ids(9)[1], b"\x11" * 160, sequence=2, chunk=1, timestamp=0))
                assert await hear(again) == b"\x11" * 160
                assert not driver(server).over

    run(scenario())


@pytest.mark.parametrize("ending", ["stop", "abort"])
def test_the_end_of_the_stream_is_not_the_end_of_a_call_that_is_transferred(ending: str) -> None:
    async def scenario() -> None:
        async with serving() as server, calling(server) as phone:
            await key(phone, "*")
            if ending == "stop":
                with suppress(ConnectionClosed):
                    await phone.send(messages.stop(STREAM, CALL, ACCOUNT, sequence=3))
                await until_closed(phone)
            else:
                while CALL not in server.exchange.transfers:  # noqa: ASYNC110
                    await asyncio.sleep(0)
                phone.transport.abort()
            await server.idle()
            assert not driver(server).over
            assert verbs(await post(server, AFTER_PATH)) == ["Dial"]

    run(scenario())


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (AFTER_PATH, {"CallStatus": "completed"}),
        (DIALLED_PATH, {"CallStatus": "completed", "DialCallStatus": "canceled"}),
        (STATUS_PATH, {"CallStatus": "completed"}),
    ],
)
def test_a_caller_who_hangs_up_meanwhile(path: str, form: dict[str, str]) -> None:
    async def scenario() -> None:
        async with serving() as server:
            await transferred(server)
            document = await post(server, path, **form)
            assert not document or verbs(document) == ["Hangup"]
            await driver(server).ended.wait()
            assert driver(server).transfers == [transfers.HUNG_UP]
            assert server.taken == 0

    run(scenario())


def test_a_stream_that_does_not_bring_the_caller_back_is_lost() -> None:
    async def scenario() -> None:
        async with serving() as server:
            await transferred(server)
            await post(server, DIALLED_PATH, DialCallStatus="busy")
            assert lost(await post(server, AFTER_PATH))
            await driver(server).ended.wait()
            assert driver(server).transfers == ["busy"]

    run(scenario())


@pytest.mark.parametrize("stage", transfers.Stage)
def test_a_transfer_that_nobody_speaks_of_any_more_comes_to_an_end(
    stage: transfers.Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if stage is not transfers.Stage.RETURNING:
        monkeypatch.setattr(transfers, "ASKED_WITHIN" if stage is transfers.Stage.ORDERED else "TOLD_WITHIN", 0.02)
    ttl = 0.02 if stage is transfers.Stage.RETURNING else 30

    async def scenario() -> None:
        async with serving(token_ttl=ttl) as server:
            async with server.dial() as phone:
                for text in begin(1, **{"offhook.token": server.exchange.passes.issue(CALL)}):
                    await phone.send(text)
                await key(phone, "*")
                await until_closed(phone)
            if stage is not transfers.Stage.ORDERED:
                await post(server, AFTER_PATH)
            if stage is transfers.Stage.RETURNING:
                await post(server, DIALLED_PATH, DialCallStatus="busy")
            await driver(server).ended.wait()
            await asyncio.sleep(0)
            assert server.taken == 0
            assert lost(await post(server, AFTER_PATH))

    run(scenario())
    assert transfers.UNHEARD[stage] in caplog.text


def test_the_server_stops_while_a_caller_is_away() -> None:
    async def scenario() -> None:
        async with serving() as server:
            await transferred(server)
        assert driver(server).finished == 1
        assert server.taken == 0

    run(scenario())


@pytest.mark.parametrize(
    ("digit", "said"), [("#", False), ("0", True)], ids=["the agent hung up", "a fault of ours ended it"]
)
def test_what_comes_after_a_call_that_is_over(digit: str, said: bool) -> None:
    async def scenario() -> None:
        async with serving() as server, calling(server) as phone:
            await key(phone, digit)
            await until_closed(phone)
            assert lost(await post(server, AFTER_PATH)) is said
            assert server.exchange.outcomes.find(CALL).well is not said
            assert phone.close_code == (1011 if said else 1000)

    run(scenario())


def test_a_socket_that_was_lost_is_no_hanging_up() -> None:
    async def scenario() -> None:
        async with serving() as server, calling(server) as phone:
            await phone.send(messages.media(STREAM, b"\x11" * 160, sequence=2, chunk=1, timestamp=0))
            await hear(phone)
            phone.transport.abort()
            await driver(server).ended.wait()
            assert lost(await post(server, AFTER_PATH))

    run(scenario())


def test_what_a_server_that_was_restarted_says_of_calls_it_does_not_know() -> None:
    async def scenario() -> None:
        async with serving() as server:
            assert lost(await post(server, AFTER_PATH))
            assert lost(await post(server, DIALLED_PATH, DialCallStatus="busy"))
            assert verbs(await post(server, DIALLED_PATH, DialCallStatus="completed")) == ["Hangup"]
            assert server.exchange.outcomes.find(CALL).dialled == "completed"

    run(scenario())


def test_a_fault_of_ours_is_no_hanging_up_over_rest() -> None:
    async def scenario() -> None:
        given: dict[str, Any] = {"twilio_auth_token": TOKEN, "stream_tokens": False}
        async with serving(**given) as server:
            desk = Desk()
            server.exchange.rest = Rest(server.exchange.settings, desk)
            signature = sign(TOKEN, f"ws://127.0.0.1:{server.port}/twilio/stream")
            async with server.dial(**{"x-twilio-signature": signature}) as phone:
                for text in begin():
                    await phone.send(text)
                await key(phone, "0")
                await until_closed(phone)
            assert not desk.asked

    run(scenario())


def test_forged_posts_are_refused() -> None:
    async def scenario() -> None:
        async with serving(twilio_auth_token=TOKEN) as server:
            for path in (AFTER_PATH, DIALLED_PATH, STATUS_PATH):
                form = ringing(DialCallStatus="busy")
                assert (await server.post(path, form)).status_code == 403
                other = sign(TOKEN, server.base + "/twilio/voice", form)
                assert (await server.post(path, form, **{"X-Twilio-Signature": other})).status_code == 403
                good = sign(TOKEN, server.base + path, form)
                assert (await server.post(path, form, **{"X-Twilio-Signature": good})).status_code in (200, 204)

    run(scenario())


def test_a_caller_who_is_connected_is_not_hung_up_on() -> None:
    """Whatever is heard first: here, that somebody has answered, while the socket still seems to be open."""

    async def scenario() -> None:
        async with serving(twilio_auth_token=TOKEN, stream_tokens=False) as server:
            desk = Desk()
            server.exchange.rest = Rest(server.exchange.settings, desk)
            signature = sign(TOKEN, f"ws://127.0.0.1:{server.port}/twilio/stream")
            async with server.dial(**{"x-twilio-signature": signature}) as phone:
                for text in begin():
                    await phone.send(text)
                await key(phone, "*")
                while not desk.asked:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                server.exchange.transfers.connected(CALL)
                await until_closed(phone)
            await server.idle()
            assert len(desk.asked) == 1
            assert driver(server).transfers == [""]

    run(scenario())


@pytest.mark.parametrize("status", [200, 500])
def test_twiml_of_others_is_replaced_over_rest(status: int) -> None:
    async def scenario() -> None:
        async with serving(twilio_auth_token=TOKEN, stream_tokens=False) as server:
            desk = Desk(status)
            server.exchange.rest = Rest(server.exchange.settings, desk)
            signature = sign(TOKEN, f"ws://127.0.0.1:{server.port}/twilio/stream")
            async with server.dial(**{"x-twilio-signature": signature}) as phone:
                for text in begin():
                    await phone.send(text)
                await key(phone, "*")
                if status == 500:
                    assert await hear(phone) == b"the carrier refused"
                    return
                while not desk.asked:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
                await phone.send(messages.stop(STREAM, CALL, ACCOUNT, sequence=3))
            await server.idle()
            [(_, uri, data, _)] = desk.asked
            assert uri.endswith(f"/Accounts/{ACCOUNT}/Calls/{CALL}.json")
            (dial,) = ElementTree.fromstring(data["Twiml"])
            assert dial.attrib["action"] == server.base + DIALLED_PATH
            assert dial[0].text == OPERATOR
            assert not driver(server).over
            form = ringing(DialCallStatus="completed")
            signed = {"X-Twilio-Signature": sign(TOKEN, server.base + DIALLED_PATH, form)}
            await server.post(DIALLED_PATH, form, **signed)
            assert driver(server).transfers == [""]

    run(scenario())


def test_twiml_of_others_cannot_be_replaced_without_a_token() -> None:
    async def scenario() -> None:
        async with serving() as server, server.dial() as phone:
            for text in begin():
                await phone.send(text)
            await key(phone, "*")
            assert b"TWILIO_AUTH_TOKEN" in await hear(phone)
            assert not driver(server).over

    run(scenario())


@pytest.mark.parametrize("came", ["busy", "completed"])
def test_a_whole_call_with_a_carrier_that_does_what_it_is_told(came: str) -> None:
    async def scenario() -> None:
        async def dialling(to: str) -> str:
            assert to == OPERATOR
            return came

        async def script(caller: SimulatedCaller) -> None:
            await caller.pause(0.1)
            await caller.press("*")
            await caller.agent_speaks(timeout=5)
            await caller.press("#")
            await caller.server_hangs_up(timeout=5)

        async with serving(twilio_auth_token=TOKEN, max_calls=1) as server:
            server.exchange.rest = Rest(server.exchange.settings, Desk())
            url = server.base + "/twilio/voice"
            report = await ring(url, script, dialling=dialling, auth_token=TOKEN)
            assert (report.ended_by, report.problems) == ("server", ())
            assert [deed.words for deed in report.carrier] == [f"dials {OPERATOR}", f"{OPERATOR}: {came}"]
            reason = came if came == "busy" else ""
            assert (driver(server).transfers, bool(report.ear.audible())) == ([reason], bool(reason))
            await server.idle()
            assert server.taken == 0
            outcome = server.exchange.outcomes.find(report.identity.call_id)
            assert (outcome.well, outcome.dialled) == (True, came)

    run(scenario())


def test_a_caller_who_hangs_up_while_it_rings() -> None:
    async def scenario() -> None:
        async def dialling(_: str) -> str:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        async def script(caller: SimulatedCaller) -> None:
            await caller.press("*")
            while not caller.held:
                await caller.pause(0.01)
            await caller.pause(0.1)

        async with serving() as server:
            report = await ring(server.base + "/twilio/voice", script, dialling=dialling)
            assert (report.ended_by, report.problems) == ("caller", ())
            await driver(server).ended.wait()
            await asyncio.sleep(0)
            assert server.taken == 0

    run(scenario())


def test_the_real_agent_has_the_caller_back_and_says_so() -> None:
    """The story that all of this is for, with everything but the providers as it is in earnest."""
    host = agent("Sorry, they are busy.")

    async def scenario() -> None:
        async def dialling(_: str) -> str:
            return "busy"

        async def script(caller: SimulatedCaller) -> None:
            await caller.listen_until_quiet(0.3, timeout=5)
            (line,) = server.exchange.switchboard.lines()
            line.order(TransferOrdered(OPERATOR, "One moment."))
            while len(said()) < 3:
                await caller.pause(0.05)

        def said() -> list[str]:
            return [each.text for each in reports if isinstance(each, AgentSaid)]

        reports: list[Report] = []
        engine = LiveEngine(plain(), Loudness(), observer=reports.append)
        async with serving(host, engine) as server:
            report = await ring(server.base + "/twilio/voice", script, dialling=dialling)
            assert report.problems == ()
            await server.idle()
            assert server.taken == 0
        assert [each for each in reports if isinstance(each, Transferred)] == [Transferred(OPERATOR, "busy")]
        assert said() == ["Hello.", "One moment.", "Sorry, they are busy."]
        assert len([each for each in reports if isinstance(each, CallEnded)]) == 1

    run(scenario())
