"""A call whose TwiML is not ours is transferred, and ended, over the carrier's REST interface."""

from typing import Any
from xml.etree import ElementTree

import pytest
from doors import OPERATOR, TOKEN, begin, hear, ringing, run, serving, until_closed
from test_rest import Desk
from transferring import ACCOUNT, CALL, STREAM, driver, key

from offhook.carrier.twilio import messages
from offhook.carrier.twilio.signature import sign
from offhook.server.answers import DIALLED_PATH
from offhook.server.rest import Rest
from polling import until


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
                await until(lambda: desk.asked)
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
                await until(lambda: desk.asked)
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
