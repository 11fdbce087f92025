"""The small examples, each served by the real command and called over a real WebSocket: what is said and heard.

(The receptionist has a story of its own: `test_ten_turns.py`.)
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from doors import ids, ringing
from websockets.asyncio.client import connect

from offhook.call.config import Phrases
from offhook.carrier.twilio import messages
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.openai_server import LocalOpenAI, Pace, Script, Stage
from offhook.simulator.report import CallReport
from offhook.simulator.ring import WEBHOOK_LIMIT, ring
from offhook.simulator.sounds import Sound, silence
from served import EXAMPLES, Served, serving
from spoken import Words, synthesize

pytestmark = pytest.mark.wall_clock

QUESTION = "what is cooking"
ORDERS = ("two coffees", "that's all")
CALLER, COLLEAGUE = "good morning", "welcome back"

Visit = Callable[[Served, Words], Awaitable[Any]]


async def thirty_lines(served: Served, words: Words) -> CallReport:
    async def asks(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.4)
        await caller.say(words.say(QUESTION))
        await caller.listen_until_quiet(0.4)

    return await ring(served.webhook, asks)


async def own_generator(served: Served, words: Words) -> CallReport:
    async def orders(caller: SimulatedCaller) -> None:
        for order in ORDERS:
            await caller.listen_until_quiet(0.4)
            await caller.say(words.say(order))
        await caller.listen_until_quiet(0.4)

    return await ring(served.webhook, orders)


async def captions(served: Served, words: Words) -> str:
    """What a carrier does with `<Start><Stream>`: both sides are streamed, and somebody else is dialled. The TwiML."""
    async with httpx.AsyncClient(trust_env=False, timeout=WEBHOOK_LIMIT) as client:
        twiml = (await client.post(served.webhook, data=ringing())).text
    stream = ElementTree.fromstring(twiml).find("./Start/Stream")
    assert stream is not None, twiml
    parameters = {each.attrib["name"]: each.attrib["value"] for each in stream}
    call_id, stream_id = ids()
    tracks = {"inbound": _padded(words.say(CALLER), 0.2), "outbound": _padded(words.say(COLLEAGUE), 1.5)}
    async with connect(stream.attrib["url"], compression=None) as socket:
        await socket.send(messages.connected())
        await socket.send(messages.start(stream_id, call_id, "AC", tracks=list(tracks), parameters=parameters))
        for number in range(200):
            for at, (track, sound) in enumerate(tracks.items()):
                frame = sound[160 * number : 160 * number + 160].ljust(160, b"\xff")
                place = {"sequence": 2 * number + at + 2, "chunk": number + 1, "timestamp": 20 * number}
                await socket.send(messages.media(stream_id, frame, track=track, **place))
            await asyncio.sleep(0.01)
        await served.logs("user said", len(tracks))
        await socket.send(messages.stop(stream_id, call_id, "AC", sequence=999))
    return twiml


VISITS: dict[str, Visit] = {each.__name__: each for each in (thirty_lines, own_generator, captions)}


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Served, Any, LocalOpenAI]]:
    """All the calls, made at the same time."""
    words = synthesize([QUESTION, *ORDERS, CALLER, COLLEAGUE])

    async def visit(example: str) -> tuple[Served, Any, LocalOpenAI]:
        script = Script(words.find, replies=_cook, transcription=Pace(0.1), reply=Pace(0.1, 0.02), word_seconds=0.1)
        folder = tmp_path_factory.mktemp(example)
        async with LocalOpenAI(script) as openai, serving(example, folder, openai.base_url) as served:
            return served, await VISITS[example](served, words), openai

    async def visit_all() -> list[tuple[Served, Any, LocalOpenAI]]:
        return await asyncio.gather(*map(visit, VISITS))

    return dict(zip(VISITS, asyncio.run(visit_all()), strict=True))


Visited = dict[str, tuple[Served, Any, LocalOpenAI]]


def test_thirty_lines(visited: Visited) -> None:
    served, report, openai = visited["thirty_lines"]
    assert (report.problems, report.ended_by, served.exit_code) == ((), "caller", 0)
    assert served.said("user said") == [QUESTION]
    assert _unbridged(served) == ["Hello, this is Bella's.", "Tonight there is risotto, and after it an ice."]
    assert report.turns[0].response_delay is not None
    assert len(openai.requests.of(Stage.CHAT)) == 1, "a generator of the user's is never asked ahead of time"
    assert openai.requests.of(Stage.CHAT)[0].asked["messages"][0]["role"] == "system"


def test_thirty_lines_are_no_more_than_thirty() -> None:
    assert len((EXAMPLES / "thirty_lines.py").read_text(encoding="utf-8").splitlines()) <= 30


def test_own_generator(visited: Visited) -> None:
    served, report, openai = visited["own_generator"]
    assert (report.problems, report.ended_by, served.exit_code) == ((), "caller", 0)
    assert served.said("user said") == list(ORDERS)
    assert _unbridged(served) == [
        "Hello, what can I bring you?",
        "coffee, coffee. Anything else?",
        "That makes 2 things, 6 dollars together. Thank you.",
    ]
    assert openai.requests.of(Stage.CHAT) == []


def test_captions(visited: Visited) -> None:
    served, twiml, openai = visited["captions"]
    assert re.search(r'<Start><Stream [^>]*track="both_tracks"', twiml)
    assert "<Dial>+493012345678</Dial>" in twiml
    assert sorted(served.output.splitlines()[1:]) == [f"caller: {CALLER}", f"colleague: {COLLEAGUE}"]
    assert {line["track"] for line in served.log("user said")} == {"inbound", "outbound"}
    assert len(openai.requests.of(Stage.TRANSCRIPTION)) == 2
    assert openai.requests.of(Stage.CHAT) == openai.requests.of(Stage.SPEECH) == []
    assert served.exit_code == 0


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_every_example_says_how_to_run_it(example: Path) -> None:
    text = example.read_text(encoding="utf-8")
    assert f"offhook serve examples/{example.name}" in text
    assert "offhook ring http://127.0.0.1:8080" in text or "voice webhook" in text


def _cook(asked: list[Mapping[str, Any]]) -> str:
    last = asked[-1]["content"]
    return "Tonight there is risotto, and after it an ice." if last == QUESTION else "Pardon?"


def _unbridged(served: Served) -> list[str]:
    """What the agent said, without what a machine that is busy makes it bridge the time with."""
    return [text.removeprefix(f"{Phrases().filler} ") for text in served.said("agent said")]


def _padded(sound: Sound, seconds: float) -> bytes:
    return silence(seconds).mulaw + sound.mulaw
