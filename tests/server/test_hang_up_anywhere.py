"""A caller who hangs up at any moment, in any way, leaves nothing behind: no task, no socket, no child, no line."""

import asyncio
from pathlib import Path

import pytest
from doors import Running, plain, run, serving
from kit import agent, speech

from offhook.providers.voices.local import LocalVoice
from offhook.server.live import LiveEngine
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.ring import ring
from polling import until

CALLS = 36
EVERY = 0.15
"""Seconds between two callers' moments of hanging up: together they cover a greeting, a turn, its answer, and an
interruption."""


async def conversation(caller: SimulatedCaller) -> None:
    """Greeting, turn, reply, interruption, a key, and silence."""
    await caller.pause(0.9)
    await caller.say(speech("book a room please"))
    await caller.agent_speaks()
    await caller.pause(0.5)
    await caller.say(speech("no wait stop"))
    await caller.pause(0.2)
    await caller.press("1")
    await caller.server_hangs_up()


def leaving(after: float, how: int) -> object:
    """A script that hangs up after so many seconds: politely, or by dropping the socket."""

    async def script(caller: SimulatedCaller) -> None:
        talk = asyncio.create_task(conversation(caller))
        await asyncio.wait({talk}, timeout=after)
        talk.cancel()
        await asyncio.gather(talk, return_exceptions=True)
        await caller.hang_up(abruptly=how % 2 == 1)

    return script


def children() -> int:
    return sum(len(path.read_text().split()) for path in Path("/proc/self/task").glob("*/children"))


def sockets() -> int:
    links = (str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink())
    return sum(link.startswith("socket:") for link in links)


async def one_after_another(server: Running) -> None:
    calls = (
        ring(f"{server.base}/twilio/voice", leaving(EVERY * number, number), caller=f"+1555{number:04}")  # type: ignore[arg-type]
        for number in range(CALLS)
    )
    for report in await asyncio.gather(*calls):
        assert report.problems == ()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts sockets and children by /proc")
def test_nothing_is_left_of_a_caller_who_hangs_up_at_any_moment() -> None:
    pytest.importorskip("espeakng_loader", reason="the local voice is an extra: pip install 'offhook[demo]'")

    other_peoples = children()

    def left() -> tuple[int, int, int]:
        return len(asyncio.all_tasks()), sockets(), children()

    async def scenario() -> None:
        desk = agent("We have a room at nine, at ten and at eleven in the morning, my friend.", tts=LocalVoice())
        async with serving(desk, LiveEngine(plain(), Loudness())) as server:
            await server.exchange.opened()
            before = left()
            await one_after_another(server)
            await server.idle()
            assert server.taken == 0
            await until(lambda: left() == before, every=0.02)
        await desk.tts.aclose()
        assert children() == other_peoples

    run(scenario())
