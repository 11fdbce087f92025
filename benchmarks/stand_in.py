"""The outside world of `delay.py`: a server that speaks OpenAI's interfaces and takes exactly so long for everything.

It says where it is, and when it is ended what it did.
"""

import asyncio
import json
import signal
import sys
from typing import NamedTuple

from offhook.simulator.openai_server.log import Request
from offhook.simulator.openai_server.script import Pace, Script
from offhook.simulator.openai_server.server import LocalOpenAI

SAYS = "I would like to book a room for two people."
REPLY = "We have a room for you, and it looks out on the garden."
CLAUSE = 6
"""Words of the reply's first clause, which the voice is given as soon as the word behind it is there."""
FIRST_CLAUSE = " ".join(REPLY.split()[:CLAUSE])


class Stages(NamedTuple):
    """Milliseconds that the outside takes."""

    transcription: float
    first_token: float
    clause: float
    first_audio: float


STAGES = Stages(200.0, 300.0, 1_000.0 / 50 * CLAUSE, 100.0)


class Answer(NamedTuple):
    """What the stand-in did: how long the first piece of an answer took and how long the rest, in milliseconds."""

    stage: str
    spoken: str
    first: float
    rest: float


async def stand_in(*, realtime_voice: bool) -> None:
    """Speaks OpenAI's interfaces until it is ended."""
    script = Script(
        transcripts=lambda rate, samples: SAYS,
        replies=[REPLY],
        transcription=Pace(STAGES.transcription / 1_000),
        reply=Pace(STAGES.first_token / 1_000, STAGES.clause / 1_000 / CLAUSE),
        speech=Pace(STAGES.first_audio / 1_000),
        word_seconds=0.2,
        realtime_voice=realtime_voice,
    )
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    async with LocalOpenAI(script) as server:
        print(server.base_url, flush=True)
        await ended.wait()
    print(json.dumps([taken(request) for request in server.requests]))


def taken(request: Request) -> Answer:
    first, ended = request.first or request.began, request.ended or request.began
    return Answer(request.stage, request.asked.get("input", ""), (first - request.began) / 1e3, (ended - first) / 1e3)


if __name__ == "__main__":
    asyncio.run(stand_in(realtime_voice="--realtime-voice" in sys.argv))
