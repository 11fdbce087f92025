"""Who answers in a load test: the call profile's stages, either scripted inside the server or served over HTTP."""

from functools import cache
from typing import Any

from offhook.agent import Agent, patience
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice, hum
from offhook.providers.transcribers.openai import OpenAITranscriber
from offhook.providers.voices.openai import OpenAIVoice
from offhook.simulator.openai_server.script import Pace, Script

SAID = "I would like to book a room for two nights, please."
REPLY = (
    "Of course, we have a quiet room with a view of the garden for those two nights, and breakfast is included. "
    "Shall I book it for you now, or would you like to hear the price of it all first?"
)
"""40 words, which are the local server's tokens, in two sentences."""
CLAUSE = 17
"""Words of its first clause: so many tokens after the first one it can be spoken."""
WORD = 0.15
"""Seconds of speech for each: six seconds in all."""
RATE = 24_000
"""Samples per second of the voice, as OpenAI's."""
TRANSCRIPTION, FIRST_TOKEN, TOKENS_PER_SECOND, SPEECH = 0.2, 0.3, 50, 0.1

QUIETLY = patience(idle=3_600)
"""Callers who only hold the line are not asked whether they are there."""


def script() -> Script:
    """What the local OpenAI-compatible server answers."""
    return Script(
        transcripts=lambda rate, samples: SAID,
        replies=[REPLY],
        transcription=Pace(TRANSCRIPTION),
        reply=Pace(FIRST_TOKEN, 1 / TOKENS_PER_SECOND),
        speech=Pace(SPEECH),
        word_seconds=WORD,
    )


def served(base_url: str) -> Agent:
    """Asks that server, whatever account the environment names."""
    there: dict[str, Any] = {"api_key": "none", "base_url": base_url}
    return Agent(
        stt=OpenAITranscriber("gpt-4o-mini-transcribe", **there),
        llm=OpenAIModel("gpt-4o-mini", **there),
        tts=OpenAIVoice("gpt-4o-mini-tts", **there),
        patience=QUIETLY,
    )


def scripted() -> Agent:
    """The same stages without any HTTP: what is left is the server's own work. Each word's sound is made once."""
    return Agent(
        stt=ScriptedTranscriber(delay=TRANSCRIPTION, by_audio=lambda utterance: SAID),
        llm=ScriptedModel([REPLY], FIRST_TOKEN, TOKENS_PER_SECOND),
        tts=ScriptedVoice(SPEECH, rate=RATE, sound=cache(lambda word: hum(word, RATE, WORD))),
        patience=QUIETLY,
    )
