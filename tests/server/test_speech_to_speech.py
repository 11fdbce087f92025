"""A speech model on the running server: real sockets on both sides, and a conversation that both of them agree on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from doors import Running, plain, run, serving
from kit import recognise, speech
from openai_kit import KEY

from offhook import Agent
from offhook.audio import mulaw
from offhook.call.outputs import AgentSaid, CallCosted, CutSpeech, Interrupted, Report, TurnTimed, UserSaid
from offhook.call.replay import first_difference, play
from offhook.call.tape import read
from offhook.conversation.expectation import Expectation
from offhook.providers.interfaces import Utterance
from offhook.providers.speech.openai import OpenAISpeech
from offhook.server.live import LiveEngine
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.openai_server import LocalOpenAI, Pace, Script, Stage, ToolUse, Turn
from offhook.simulator.ring import ring

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


SCRIPT = Script(transcripts=heard, replies=answer, transcription=Pace(0.05), reply=Pace(0.1), word_seconds=0.15)


async def three_turns(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.3)
    await caller.say(speech("book a room"))
    await caller.agent_speaks()
    await caller.pause(0.6)
    await caller.say(speech("no wait stop"))
    await caller.listen_until_quiet(1.2)
    await caller.say(speech("goodbye"))
    await caller.listen_until_quiet(0.3)
    await caller.pause(0.5)


def desk(server: LocalOpenAI) -> tuple[Agent, OpenAISpeech]:
    model = OpenAISpeech(api_key=KEY, base_url=server.base_url)
    agent = Agent(greeting="Hello.", instructions="Be brief.", speech=model)

    @agent.tool
    async def look(day: str) -> str:
        """Look for a room."""
        await asyncio.sleep(0.1)
        return f"blue, {day}"

    return agent, model


async def idle(openai: LocalOpenAI) -> None:
    async with asyncio.timeout(3):
        while openai.requests.running or openai.connections:  # noqa: ASYNC110 - the other side's
            await asyncio.sleep(0.01)


def test_three_turns_with_an_interruption_and_a_tool(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reports: list[Report] = []

    async def scenario() -> None:
        async with LocalOpenAI(SCRIPT) as openai:
            agent, model = desk(openai)
            engine = LiveEngine(plain(record=tmp_path), Loudness(), observer=reports.append)
            async with serving(agent, engine) as server:
                await server.exchange.opened()
                report = await ring(f"{server.base}/twilio/voice", three_turns)
                assert report.problems == ()
                await server.idle()
                metrics = await fetch(server, "/metrics")
                await model.aclose()
                await idle(openai)
                check_session(openai)
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
    check_tape(tmp_path, said[1])


def check_session(openai: LocalOpenAI) -> None:
    """What the model was told, and what has become of its conversation."""
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


def check_tape(folder: Path, words: str) -> None:
    [file] = folder.glob("*.tape")
    tape = read(file.read_bytes())
    assert first_difference(tape) is None
    [cut] = [output for step in play(tape) for output in step.outputs if isinstance(output, CutSpeech)]
    assert cut.words == words
    assert abs(cut.heard - 0.75 * 8_000) < 0.35 * 8_000, "what was played until the caller broke in"


async def fetch(server: Running, path: str) -> str:
    import httpx

    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(server.base + path)).text
