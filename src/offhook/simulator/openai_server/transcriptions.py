"""`POST /v1/audio/transcriptions`: a WAV file in, its words out."""

import asyncio
import re
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from offhook.audio import wav
from offhook.errors import AudioFormatError
from offhook.simulator.openai_server import multipart
from offhook.simulator.openai_server.answers import SSE, Answer, ApiError
from offhook.simulator.openai_server.script import Script

Sound: TypeAlias = tuple[int, NDArray[np.int16]]

_ENDINGS = ("flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm")
_SHORTEST = 0.1
"""Seconds."""


async def transcribe(script: Script, answer: Answer, content_type: str, body: bytes) -> None:
    """Answer with JSON, or with a stream where that is asked for and the model can."""
    fields = _fields(content_type, body)
    rate, samples = _sound(fields)
    asked = answer.request.asked
    asked.update({name: part.content.decode() for name, part in fields.items() if name != "file"})
    asked["seconds"] = len(samples) / rate
    asked["peak"] = int(np.abs(samples.astype(np.int32)).max())
    model = asked.get("model", "")
    if not model:
        raise ApiError(400, "you must provide a model parameter", param="model")
    if script.models is not None and model not in script.models:
        raise ApiError(404, f"The model `{model}` does not exist", "model_not_found")
    if model.startswith("gpt-4o") and asked.get("response_format", "json") != "json":
        raise ApiError(400, f"response_format is not compatible with model {model}", "unsupported_value")
    await asyncio.sleep(script.transcription.delay(answer.random))
    text = script.heard(answer.request.number, rate, samples)
    if asked.get("stream") == "true" and model != "whisper-1":
        await _stream(script, answer, text)
    else:
        await answer.json({"text": text})


async def _stream(script: Script, answer: Answer, text: str) -> None:
    await answer.begin(SSE)
    for number, delta in enumerate(re.findall(r"\s*\S+", text)):
        if number:
            await asyncio.sleep(script.transcription.then)
        await answer.event({"type": "transcript.text.delta", "delta": delta})
    await answer.event({"type": "transcript.text.done", "text": text})


def _fields(content_type: str, body: bytes) -> dict[str, multipart.Part]:
    try:
        return {part.name: part for part in multipart.parse(content_type, body)}
    except ValueError as error:
        raise ApiError(400, str(error)) from None


def _sound(fields: dict[str, multipart.Part]) -> Sound:
    file = fields.get("file")
    if file is None:
        raise ApiError(400, "file is required", param="file")
    unknown = f"Unrecognized file format. Supported formats: {list(_ENDINGS)}"
    if file.filename.rpartition(".")[2].lower() not in _ENDINGS:
        raise ApiError(400, unknown)
    try:
        rate, samples = wav.read(file.content)
    except AudioFormatError:
        raise ApiError(400, unknown) from None
    if len(samples) < _SHORTEST * rate:
        raise ApiError(
            400,
            f"Audio file is too short. Minimum audio length is {_SHORTEST} seconds.",
            "audio_too_short",
            param="file",
        )
    return rate, samples
