"""What the callers of a load test say, and what their lines sound like: mu-law at 8 kHz."""

from pathlib import Path

import numpy as np

from offhook.audio import mulaw
from offhook.providers.voices.local import LocalVoice
from offhook.simulator import sounds
from offhook.simulator.load.agents import SAID
from offhook.simulator.load.profile import Profile
from offhook.timebase import RATE

SPEECH = 3.0
"""Seconds that a caller says in each cycle of the profile, at the most."""


async def profile(file: Path | None) -> Profile:
    """The call profile, with what a WAV file says or else the local voice."""
    return Profile(await speech(file), line_noise())


async def speech(file: Path | None) -> bytes:
    """What a WAV file says at the telephone's level, else the local voice, without the silence around it. Raises
    AudioFormatError, and ConfigurationError where the file cannot be read or there is no local voice."""
    found = sounds.from_file(file, dbov=-25.0) if file else await spoken(SAID)
    return found.mulaw[found.start : found.end][: int(SPEECH * RATE)]


async def spoken(text: str) -> sounds.Sound:
    """Text, by the local voice."""
    voice = LocalVoice()
    try:
        return await sounds.spoken(voice, text)
    finally:
        await voice.aclose()


def line_noise() -> bytes:
    """A second of what a line sounds like while nobody speaks: noise at -65 dBov."""
    dice = np.random.default_rng(1)
    return mulaw.encode(np.rint(dice.standard_normal(RATE) * 18.4).astype(np.int16))
