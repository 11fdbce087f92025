"""A caller is connected to somebody else, or comes back: what Twilio is told, in whichever order it asks."""

import asyncio
import logging
from contextlib import suppress
from xml.etree import ElementTree

import pytest
from doors import OPERATOR, TOKEN, begin, hear, ids, ringing, run, serving, until_closed
from transferring import ACCOUNT, CALL, CHILD, STREAM, calling, driver, key, lost, post, returning, transferred, verbs
from websockets.exceptions import ConnectionClosed

from offhook.carrier.twilio import messages
from offhook.carrier.twilio.signature import sign
from offhook.server import transfers
from offhook.server.answers import AFTER_PATH, DIALLED_PATH, STATUS_PATH
from polling import until


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
            await until(lambda: CALL in server.exchange.transfers)
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
                await until(lambda: CALL in server.exchange.transfers)
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
