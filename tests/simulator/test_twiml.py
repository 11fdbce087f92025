"""TwiML as a carrier carries it out: what is asked of whom, and what becomes of the call."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.errors import CarrierError
from offhook.simulator.twiml import CarrierScript, Stream

BASE = "https://example.com/voice"
CONNECT = '<Connect action="/after"><Stream url="/s"><Parameter name="a" value="b"/></Stream></Connect>'
NUMBER = '<Number statusCallback="/status" statusCallbackEvent="answered">+15550100</Number>'


class Desk:
    """Answers by path, and keeps what it was told."""

    def __init__(self, **answers: str) -> None:
        self.told: list[tuple[str, dict[str, str]]] = []
        self.said: list[str] = []
        self._answers = answers

    async def post(self, url: str, form: Mapping[str, str]) -> str:
        path = url.removeprefix("https://example.com/")
        assert form["CallSid"]
        self.told.append((path, {name: form[name] for name in form if name.endswith("Status")}))
        return f"<Response>{self._answers[path]}</Response>" if path in self._answers else ""

    def carrier(self, came: str = "completed") -> CarrierScript:
        async def dialling(_: str) -> str:
            return came

        carrier = CarrierScript(self.post, {"CallSid": "CA1"}, dialling)
        carrier.tell = self.said.append
        return carrier


def test_relative_addresses_are_the_webhooks_own() -> None:
    async def main() -> None:
        stream = await Desk(voice=CONNECT).carrier().begin(BASE)
        assert stream == Stream("wss://example.com/s", {"a": "b"}, "https://example.com/after")

    asyncio.run(main())


@pytest.mark.parametrize("came", ["completed", "busy"])
def test_a_caller_is_connected_or_comes_back(came: str) -> None:
    async def main() -> None:
        again = CONNECT if came == "busy" else "<Hangup/>"
        desk = Desk(voice=CONNECT, after=f'<Dial action="/dialled">{NUMBER}</Dial>', dialled=again)
        carrier = desk.carrier(came)
        first = await carrier.begin(BASE)
        assert await carrier.stream_ended() == (first if came == "busy" else None)
        talked = [("status", {"CallStatus": "in-progress"})] if came == "completed" else []
        assert desk.told == [
            ("voice", {"CallStatus": "ringing"}),
            ("after", {"CallStatus": "in-progress"}),
            *talked,
            ("dialled", {"CallStatus": "in-progress", "DialCallStatus": came}),
        ]
        assert desk.said == ["dials +15550100", f"+15550100: {came}"]
        assert carrier.problems == []

    asyncio.run(main())


def test_without_an_action_the_next_verb_follows() -> None:
    async def main() -> None:
        desk = Desk(voice='<Connect><Stream url="/s"/></Connect><Say>Sorry.</Say><Hangup/><Say>Never.</Say>')
        carrier = desk.carrier()
        await carrier.begin(BASE)
        assert await carrier.stream_ended() is None
        assert desk.said == ["says 'Sorry.'"]

    asyncio.run(main())


def test_whoever_is_to_be_asked_next_hears_of_a_caller_who_hangs_up() -> None:
    async def main() -> None:
        desk = Desk(voice=CONNECT, after=f'<Dial action="/dialled">{NUMBER}</Dial>', dialled="")
        rings = asyncio.Event()

        async def dialling(_: str) -> str:
            rings.set()
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        carrier = CarrierScript(desk.post, {"CallSid": "CA1"}, dialling)
        await carrier.begin(BASE)
        carrying = asyncio.create_task(carrier.stream_ended())
        await rings.wait()
        carrying.cancel()
        await asyncio.wait({carrying})
        await carrier.caller_gone()
        assert desk.told[-1] == ("dialled", {"CallStatus": "completed", "DialCallStatus": "canceled"})

    asyncio.run(main())


def test_an_action_that_fails_is_a_problem_not_an_error() -> None:
    async def main() -> None:
        carrier = Desk(voice=CONNECT).carrier()
        await carrier.begin(BASE)
        assert await carrier.stream_ended() is None
        (problem,) = carrier.problems
        assert "12100" in problem

    asyncio.run(main())


@given(
    st.text(max_size=200) | st.sampled_from(["<Connect/>", "<Dial/>", "<Redirect>voice2</Redirect>", "<Play>x</Play>"])
)
def test_whatever_is_answered_the_call_begins_or_is_refused(document: str) -> None:
    async def main() -> None:
        try:
            stream = await Desk(voice=document, voice2=CONNECT).carrier().begin(BASE)
        except CarrierError:
            return
        assert stream.url == "wss://example.com/s"

    asyncio.run(main())
