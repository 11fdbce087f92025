"""A reply of 10,000 frames, 200 seconds, from the voice to the caller's ear: byte for byte."""

from random import Random

import pytest
from kit import agent, heard_audio, tell

from offhook.audio import mulaw
from offhook.providers.scripted import ScriptedVoice
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.line import Line

FRAMES = 10_000
WORDS = FRAMES * 160 // 2_400 + 1
"""Each is 300 ms long."""
BYTES = [byte for byte in range(256) if 1_400 < abs(int(mulaw.decode(bytes([byte]))[0])) < 3_000]
"""Mu-law about the level of the telephone, which is left as it is."""


def spoken(word: str) -> bytes:
    """A word as the voice speaks it: noise of its own that mu-law keeps as it is, 16 bits a sample."""
    return mulaw.decode(heard(word)).astype("<i2").tobytes()


def heard(word: str) -> bytes:
    return bytes(Random(word).choices(BYTES, k=2_400))


@pytest.mark.parametrize("line", [Line(), Line(delay_ms=80, jitter_ms=40, seed=7)])
@pytest.mark.parametrize("realtime", [False, True])
def test_not_a_byte_is_lost_doubled_or_out_of_order(line: Line, realtime: bool) -> None:
    words = [f"word{number}{'.' if number % 12 == 11 else ''}" for number in range(WORDS)]
    greeting = " ".join(words)

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(2, timeout=300)

    told = tell(agent(greeting=greeting, tts=ScriptedVoice(sound=spoken, realtime=realtime)), script, line=line)
    assert heard_audio(told) == b"".join(heard(word) for word in words)
    assert told.agent_said == [greeting]
