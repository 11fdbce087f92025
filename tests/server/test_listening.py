"""`answer(call)` may have an agent listen to a call that goes on without it."""

from xml.etree import ElementTree

import pytest
from doors import AGENT, OPERATOR, Telephone, ringing, run, serving

from offhook.carrier.twilio.messages import WAY
from offhook.errors import ConfigurationError
from offhook.server.answers import APOLOGY
from offhook.server.reception import IncomingCall, Listen


async def listens(call: IncomingCall) -> Listen:
    return Listen(AGENT, dial=OPERATOR)


def test_both_sides_are_streamed_while_somebody_else_is_dialled() -> None:
    async def scenario() -> None:
        async with serving(listens) as running:
            answer = await running.post("/twilio/voice", ringing())
            root = ElementTree.fromstring(answer.text)
            assert [verb.tag for verb in root] == ["Start", "Dial"]
            assert root.findtext("Dial") == OPERATOR
            [stream] = root[0]
            assert stream.attrib["track"] == "both_tracks"
            assert stream.attrib["url"].endswith("/twilio/stream")
            named = {each.attrib["name"]: each.attrib["value"] for each in stream}
            assert (named["From"], named[WAY]) == ("+15550001", "one")
            assert "offhook.token" in named
            assert running.engine.prepared == [AGENT]

    run(scenario())


def test_the_stream_that_comes_is_the_agents() -> None:
    async def scenario() -> None:
        async with serving(listens) as running:
            await running.post("/twilio/voice", ringing())
            async with running.dial() as socket:
                phone = Telephone(socket)
                await phone.begin()
                await phone.hang_up()
            await running.idle()
            assert len(running.engine.drivers) == 1

    run(scenario())


def test_a_call_with_nothing_else_to_do_is_no_call() -> None:
    with pytest.raises(ConfigurationError, match="dial="):
        Listen(AGENT)

    async def forgets(call: IncomingCall) -> Listen:
        return Listen(AGENT)

    async def scenario() -> None:
        async with serving(forgets) as running:
            answer = await running.post("/twilio/voice", ringing())
            assert APOLOGY in answer.text
            assert running.exchange.switchboard.live == 0

    run(scenario())
