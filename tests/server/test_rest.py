"""What is asked of Twilio's REST interface, and when."""

import asyncio
from typing import Any

import pytest
from doors import TOKEN, begin, ids, plain, run, serving
from twilio.http.response import Response
from websockets.exceptions import ConnectionClosed

from offhook.carrier.twilio import messages
from offhook.carrier.twilio.signature import sign
from offhook.server.rest import Rest

PUBLIC = "https://phone.example.com"
ACCOUNT = "AC" + "0" * 32


class Desk:
    """Answers requests as Twilio would, and keeps them."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[tuple[str, str, Any, Any]] = []

    def request(self, method: str, uri: str, *args: Any, **more: Any) -> Response:
        self.asked.append((method, uri, more.get("data"), more.get("auth")))
        return Response(self.status, "{}" if self.status < 400 else '{"message": "no", "code": 20404}')


def test_a_call_is_completed_with_the_streams_account() -> None:
    async def scenario() -> None:
        desk = Desk()
        await Rest(plain(twilio_auth_token=TOKEN), desk).hang_up(ACCOUNT, "CA1")
        [(method, uri, data, auth)] = desk.asked
        assert (method, auth) == ("POST", (ACCOUNT, TOKEN))
        assert uri.endswith(f"/Accounts/{ACCOUNT}/Calls/CA1.json")
        assert data["Status"] == "completed"

    run(scenario())


@pytest.mark.parametrize(("status", "complains"), [(404, False), (500, True)])
def test_a_call_that_is_gone_is_what_was_wanted(status: int, complains: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        await Rest(plain(twilio_auth_token=TOKEN), Desk(status)).hang_up(ACCOUNT, "CA1")

    run(scenario())
    assert ("did not end call CA1" in caplog.text) is complains
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_redirection_counts_only_if_the_call_is_there(status: int, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        desk = Desk(status)
        taken = await Rest(plain(twilio_auth_token=TOKEN), desk).redirect(ACCOUNT, "CA1", "<Response/>")
        assert taken is (status == 200)
        [(method, _, data, _)] = desk.asked
        assert (method, data["Twiml"]) == ("POST", "<Response/>")

    run(scenario())
    assert ("did not redirect call CA1" in caplog.text) is (status != 200)


def test_without_a_token_nothing_is_asked() -> None:
    async def scenario() -> None:
        desk = Desk()
        rest = Rest(plain(), desk)
        await rest.prepare()
        assert not await rest.hang_up(ACCOUNT, "CA1")
        assert not await rest.redirect(ACCOUNT, "CA1", "<Response/>")
        assert not desk.asked

    run(scenario())


@pytest.mark.parametrize(("ending", "asked"), [("agent", 1), ("stop", 0), ("close", 0)])
def test_twilio_is_asked_only_when_the_agent_ends_the_call(ending: str, asked: int) -> None:
    async def scenario() -> None:
        given: dict[str, Any] = {"twilio_auth_token": TOKEN, "public_url": PUBLIC, "stream_tokens": False}
        async with serving(**given) as server:
            desk = Desk()
            server.exchange.rest = Rest(server.exchange.settings, desk)
            signature = sign(TOKEN, "wss://phone.example.com/twilio/stream")
            async with server.dial(**{"x-twilio-signature": signature}) as phone:
                for text in begin():
                    await phone.send(text)
                if ending == "close":
                    await phone.close()
                else:
                    call_id, stream_id = ids()
                    dtmf = messages.dtmf(stream_id, "#", sequence=2)
                    stop = messages.stop(stream_id, call_id, ACCOUNT, sequence=2)
                    await phone.send(dtmf if ending == "agent" else stop)
                    with pytest.raises(ConnectionClosed):
                        await phone.recv()
            await asyncio.wait_for(server.idle(), 5)
            assert len(desk.asked) == asked

    run(scenario())
