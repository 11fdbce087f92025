"""Call 1, which is transferred: what the caller and Twilio do, up to where it rings elsewhere and back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree import ElementTree

from doors import EchoDriver, Running, begin, ids, ringing, stream_of, until_closed
from websockets.asyncio.client import ClientConnection

from offhook.carrier.twilio import messages
from offhook.server import answers
from offhook.server.answers import AFTER_PATH

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
