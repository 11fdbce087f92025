"""A speech model on the running server: real sockets on both sides, and a conversation that both of them agree on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from doors import Running, plain, run, serving
from kit import recognise, speech
from openai_kit import KEY

from offhook.agent import Agent, patience
from offhook.audio import mulaw
from offhook.call.outputs import AgentSaid, CallCosted, CutSpeech, Interrupted, Report, TurnTimed, UserSaid
from offhook.call.replay import first_difference, play
from offhook.call.tape import read
from offhook.carrier.twilio.stream import TwilioStream
from offhook.conversation.expectation import Expectation
from offhook.providers.interfaces import Utterance
from offhook.providers.speech.scripted import ScriptedSpeech
from offhook.runtime import prices
from offhook.server.live import LiveEngine
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.openai_server import LocalOpenAI, Pace, Script, Stage, ToolUse, Turn
from offhook.simulator.ring import ring
from polling import until

pytestmark = pytest.mark.wall_clock

ROOMS = "We have a large room with a window and a small room without one."


def heard(_: int, pcm: Any) -> str:
    return recognise(Utterance(mulaw.encode(pcm), Expectation())).text


def answer(messages: list[Any]) -> str | Turn:
    """By the caller's last words, and whether a tool has returned since."""
    turn = max(at for at, message in enumerate(messages) if message.get("role") == "user")
    said = messages[turn]["content"]
    if any(message.get("type") == "function_call_output" for message in messages[turn:]):
        return "The blue room is free."
    if "stop" in said:
        return Turn("Let me look.", (ToolUse("look", '{"day": "today"}'),))
    return "Goodbye." if "goodbye" in said else ROOMS


SCRIPT = Script(transcripts=heard, replies=answer, transcription=Pace(0.05), reply=Pace(0.1), word_seconds=0.1)


async def three_turns(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.1)
    await caller.say(speech("book a room"))
    await caller.agent_speaks()
    await caller.pause(0.5)
    await caller.say(speech("no wait stop"))
    await caller.listen_until_quiet(0.6)
    await caller.say(speech("goodbye"))
    await caller.listen_until_quiet(0.3)


def desk() -> Agent:
    agent = Agent(
        greeting="Hello.", instructions="Be brief.", speech="openai/gpt-realtime", patience=patience(pause=0.35)
    )

    @agent.tool
    async def look(day: str) -> str:
        """Look for a room."""
        await asyncio.sleep(0.05)
        return f"blue, {day}"

    return agent


def test_three_turns_with_an_interruption_and_a_tool(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    reports: list[Report] = []
    kept: list[int] = []

    async def scenario() -> None:
        async with LocalOpenAI(SCRIPT) as openai:
            monkeypatch.setenv("OPENAI_BASE_URL", openai.base_url)
            engine = LiveEngine(plain(record=tmp_path), Loudness(), observer=reports.append)
            async with serving(desk(), engine) as server:
                await server.exchange.opened()
                report = await ring(f"{server.base}/twilio/voice", three_turns)
                assert report.problems == ()
                assert report.turns[1].stop_time is not None
                assert report.turns[1].stop_time < 200_000
                await server.idle()
                await until(lambda: not openai.requests.running)
                metrics = await fetch(server, "/metrics")
                kept.append(check_session(openai))
                assert 'offhook_turns_total{speaker="user"} 3.0' in metrics
                assert 'offhook_requests_total{outcome="used",stage="reply"}' in metrics

    run(scenario())
    told = [report.text for report in reports if isinstance(report, UserSaid)]
    assert told == ["book a room", "no wait stop", "goodbye"]
    said = [report.text for report in reports if isinstance(report, AgentSaid)]
    assert said[0] == "Hello."
    assert ROOMS.startswith(said[1])
    assert said[2:] == ["Let me look. The blue room is free.", "Goodbye."]
    assert len([report for report in reports if isinstance(report, Interrupted)]) == 1
    assert all(report.played < 1_200_000 for report in reports if isinstance(report, TurnTimed))
    (cost,) = [report for report in reports if isinstance(report, CallCosted)]
    assert cost.used.estimated == 0
    assert cost.used.spoken > 0
    assert [record.message for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
    check_tape(tmp_path, said[1], *kept)


def check_session(openai: LocalOpenAI) -> int:
    """What the model was told, and what has become of its conversation. Returns how many milliseconds are left of the
    reply that was cut."""
    talk = openai.requests.of(Stage.REALTIME)[-1].asked
    session = talk["session"]
    assert session["audio"]["input"]["format"] == session["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    assert session["audio"]["input"]["turn_detection"] is None
    assert [tool["name"] for tool in session["tools"]] == ["look"]
    assert talk["errors"] == []
    said = [(item.role or item.type, item.text) for item in talk["items"]]
    assert said == [
        ("assistant", "Hello."),
        ("user", "book a room"),
        ("assistant", ""),  # truncated: the server has forgotten its words, as OpenAI's has
        ("user", "no wait stop"),
        ("assistant", "Let me look."),
        ("function_call", ""),
        ("function_call_output", "blue, today"),
        ("assistant", "The blue room is free."),
        ("user", "goodbye"),
        ("assistant", "Goodbye."),
    ]
    spoken = sum(len(speech(words).mulaw) for words in ("book a room", "no wait stop", "goodbye"))
    assert talk["bytes"] < spoken + 3 * 8_000, "no silence is sent but a little around the words"
    left: int = talk["items"][2].samples // 8
    return left


def check_tape(folder: Path, words: str, milliseconds: int) -> None:
    [file] = folder.glob("*.tape")
    tape = read(file.read_bytes())
    assert first_difference(tape) is None
    [cut] = [output for step in play(tape) for output in step.outputs if isinstance(output, CutSpeech)]
    assert cut.words == words
    assert cut.heard // 8 == milliseconds
    assert 400 < milliseconds < 900, "what was played until the caller broke in"


async def fetch(server: Running, path: str) -> str:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(server.base + path)).text


def test_agents_with_other_models_are_served_by_others() -> None:
    async def scenario() -> None:
        engine = LiveEngine(plain(), Loudness())
        first, second = ScriptedSpeech(), ScriptedSpeech()
        for model in (first, second):
            await engine.prepare(Agent(speech=model))
        driver = engine.connect(
            Agent(speech=second),
            call_id="CA1",
            stream=TwilioStream(),
            send=lambda _: None,
            close=lambda: None,
            report=lambda _, __: None,
        )
        assert (len(first.sessions), len(second.sessions)) == (0, 1)
        await driver.finish()
        assert second.sessions[0].closed
        await engine.aclose()

    run(scenario())


def test_a_speech_model_has_a_price() -> None:
    rates = prices.rates(Agent(speech="openai/gpt-realtime"), prices.packaged(), needed=True)
    assert rates is not None
    assert (rates.input, rates.output, rates.characters) == (32, 64, 0)
    assert prices.rates(Agent(speech=ScriptedSpeech()), prices.packaged()) is None
