"""Speak the phrases that the package carries, with the local voice: `python scripts/record_phrases.py`.

Writes src/offhook/runtime/data/phrases.msgpack, a map from text to mu-law at 8 kHz. espeak-ng speaks them; what a
program says is not covered by its licence.
"""

import asyncio
from pathlib import Path

import msgspec

from offhook.call.config import Phrases
from offhook.providers.voices.local import voice
from offhook.runtime.linevoice import LineVoice
from offhook.runtime.phrases import pieces_of, record

TARGET = Path(__file__).parents[1] / "src" / "offhook" / "runtime" / "data" / "phrases.msgpack"


async def main() -> None:
    """Record the apology, the filler and the last goodbye."""
    phrases = Phrases()
    texts = phrases.apology, phrases.filler, phrases.failure_goodbye
    speaker = LineVoice(voice(""))
    try:
        await speaker.ready()
        spoken = await record([piece for text in texts for piece in pieces_of(text)], speaker)
    finally:
        await speaker.aclose()
    TARGET.write_bytes(msgspec.msgpack.encode(spoken))
    print(f"{len(spoken)} phrases, {TARGET.stat().st_size} bytes: {TARGET}")


if __name__ == "__main__":
    asyncio.run(main())
