"""Whose socket becomes a call: signatures, tokens, free lines, and an agent that is ready."""

import pytest
from doors import TOKEN, EchoEngine, begin, hear, ringing, run, serving, sound, stream_of
from websockets.exceptions import ConnectionClosed, InvalidStatus

from offhook.carrier.twilio.signature import sign
from offhook.carrier.twilio.tokens import PARAMETER

PUBLIC = "https://phone.example.com"
STREAM = "wss://phone.example.com/twilio/stream"


def test_one_call_more_than_there_are_lines_is_refused() -> None:
    async def scenario() -> None:
        async with serving(max_calls=1) as server, server.dial() as first, server.dial() as second:
            for number, phone in ((1, first), (2, second)):
                for text in begin(number):
                    await phone.send(text)
                if number == 1:
                    await phone.send(sound(0, b"\x11" * 160))
                    await hear(phone)
            with pytest.raises(ConnectionClosed) as closed:
                await second.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1013
            assert len(server.engine.drivers) == 1

    run(scenario())


def test_sockets_that_never_start_are_counted() -> None:
    async def scenario() -> None:
        async with serving(max_waiting=1) as server, server.dial():
            with pytest.raises(InvalidStatus) as refused:
                async with server.dial():
                    pass
            assert refused.value.response.status_code == 403

    run(scenario())


@pytest.mark.parametrize(
    "signature", ["", "bm90IGEgc2lnbmF0dXJl", sign(TOKEN, "https://phone.example.com/twilio/stream")]
)
def test_a_handshake_without_a_good_signature_is_refused_before_accept(signature: str) -> None:
    async def scenario() -> None:
        async with serving(twilio_auth_token=TOKEN, public_url=PUBLIC) as server:
            headers = {"x-twilio-signature": signature} if signature else {}
            with pytest.raises(InvalidStatus) as refused:
                async with server.dial(**headers):
                    pass
            assert refused.value.response.status_code == 403

    run(scenario())


def test_a_signed_stream_needs_the_token_of_its_call_and_only_once() -> None:
    async def scenario() -> None:
        async with serving(twilio_auth_token=TOKEN, public_url=PUBLIC, close_timeout=0.2) as server:
            form = ringing()
            signature = sign(TOKEN, PUBLIC + "/twilio/voice", form)
            answer = await server.post("/twilio/voice", form, **{"X-Twilio-Signature": signature})
            url, parameters = stream_of(answer.text)
            assert url == STREAM
            signed = {"x-twilio-signature": sign(TOKEN, STREAM)}

            async def admitted(number: int, given: dict[str, str]) -> bool:
                async with server.dial(**signed) as phone:
                    for text in begin(number, **given):
                        await phone.send(text)
                    await phone.send(sound(0, b"\x11" * 160, number))
                    try:
                        return await hear(phone) == b"\x11" * 160
                    except ConnectionClosed:
                        return False

            assert not await admitted(1, {})
            assert not await admitted(2, parameters)
            assert not await admitted(1, {**parameters, PARAMETER: "1.2.3.4"})
            assert await admitted(1, parameters)
            assert not await admitted(1, parameters)
            assert len(server.engine.drivers) == 1
            started = server.engine.drivers[0].started
            assert started
            assert started.parameters["From"] == "+15550001"

    run(scenario())


def test_streams_of_hand_written_twiml_can_be_let_in() -> None:
    async def scenario() -> None:
        signed = {"x-twilio-signature": sign(TOKEN, STREAM)}
        async with (
            serving(twilio_auth_token=TOKEN, public_url=PUBLIC, stream_tokens=False) as server,
            server.dial(**signed) as phone,
        ):
            for text in begin():
                await phone.send(text)
            await phone.send(sound(0, b"\x11" * 160))
            assert await hear(phone) == b"\x11" * 160

    run(scenario())


@pytest.mark.parametrize(
    "header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via", "CF-Connecting-IP", "ngrok-trace-id", "Origin"]
)
def test_without_a_token_tunnels_and_web_pages_are_refused(header: str) -> None:
    async def scenario() -> None:
        async with serving() as server:
            with pytest.raises(InvalidStatus) as refused:
                async with server.dial(**{header: "whatever"}):
                    pass
            assert refused.value.response.status_code == 403

    run(scenario())


def test_an_agent_that_is_not_ready_takes_no_stream() -> None:
    from offhook.errors import ConfigurationError

    async def scenario() -> None:
        engine = EchoEngine()
        engine.failure = ConfigurationError("no key")
        async with serving(engine=engine) as server:
            with pytest.raises(InvalidStatus):
                async with server.dial():
                    pass

    run(scenario())
