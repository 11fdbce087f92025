"""`POST /v1/audio/speech`: a hum for each word, so that it is known which words were heard."""

import asyncio
from typing import Any

from offhook.providers.scripted import hum
from offhook.simulator.openai_server.answers import Answer, ApiError
from offhook.simulator.openai_server.script import Script

RATE = 24_000
LONGEST = 4_096
"""Characters."""
VOICES = frozenset(
    "alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse".split()  # noqa: SIM905
)
_FRAME = RATE // 50 * 2
"""Bytes of 20 ms."""


async def speak(script: Script, answer: Answer, asked: dict[str, Any]) -> None:
    """Bare samples: signed 16 bits, little-endian, 24 kHz."""
    _check(script, asked)
    audio = b"".join(hum(word, RATE, script.word_seconds) for word in asked["input"].split())
    await asyncio.sleep(script.speech.delay(answer.random))
    await answer.begin("audio/pcm")
    at = 0
    while at < len(audio):
        size = _FRAME if script.realtime_voice else 2 * answer.random.randrange(500, 2_000) + 1
        if at and (pause := 0.02 if script.realtime_voice else script.speech.then):
            await asyncio.sleep(pause)
        await answer.piece(audio[at : at + size])
        at += size


def _check(script: Script, asked: dict[str, Any]) -> None:
    model, text, voice = asked.get("model"), asked.get("input"), asked.get("voice")
    if script.models is not None and model not in script.models:
        raise ApiError(404, f"The model `{model}` does not exist", "model_not_found")
    if not isinstance(text, str) or not text:
        raise ApiError(400, "input must be a text of at least one character", param="input")
    if len(text) > LONGEST:
        raise ApiError(400, f"input must have at most {LONGEST} characters", "string_above_max_length", param="input")
    if voice not in VOICES:
        raise ApiError(400, f"voice must be one of {sorted(VOICES)}", param="voice")
    if asked.get("response_format") != "pcm":
        raise ApiError(400, "this local server speaks pcm only", param="response_format")
    if not 0.25 <= asked.get("speed", 1.0) <= 4:
        raise ApiError(400, "speed must lie between 0.25 and 4", param="speed")
