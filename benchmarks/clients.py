"""What a turn costs in requests to OpenAI: the lean client beside their SDK, in processor time, in the same run.

`python benchmarks/clients.py [--turns 5] [--rounds 4]`. A turn is an upload of three seconds, a reply of 40 tokens at
50 a second, and two sentences of three seconds each, spoken as fast as they can be sent. The server is the simulator's,
in a process of its own. Providers and all below them are counted, the call above them is not. A figure is the least of
several rounds; the two clients take turns at them. Ratios hold from machine to machine, milliseconds do not.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from offhook.audio import mulaw
from offhook.conversation.expectation import Expectation
from offhook.conversation.messages import Message, Role
from offhook.providers.interfaces import Conversation, Utterance
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.transcribers.openai import OpenAITranscriber
from offhook.providers.voices.openai import OpenAIVoice
from offhook.simulator.openai_server import LocalOpenAI, Pace, Script
from offhook.timebase import RATE

SECONDS = 3
TOKENS, PER_SECOND = 40, 50
SENTENCE = " ".join(["so"] * 10)
"""Ten words of 300 ms."""
HISTORY = 12
"""Messages that the model is shown."""
CLIENTS = ("sdk", "lean")


class Cost(NamedTuple):
    """Milliseconds of processor time."""

    upload: float
    reply: float
    speech: float

    @property
    def turn(self) -> float:
        return sum(self)


async def serve() -> None:
    """The stand-in, until its input ends."""
    script = Script(
        transcripts=["one and two"],
        replies=[" ".join(["word"] * TOKENS)],
        reply=Pace(0.02, 1 / PER_SECOND),
        transcription=Pace(0.02),
        speech=Pace(0.02),
    )
    async with LocalOpenAI(script) as server:
        print(server.base_url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def turns(base_url: str, count: int) -> list[Cost]:
    """The cost of each turn but the first, over connections that are open."""
    account: dict[str, Any] = {"api_key": "none", "base_url": base_url}
    ear = OpenAITranscriber("gpt-4o-mini-transcribe", **account)
    mind = OpenAIModel("gpt-4.1-mini", **account)
    voice = OpenAIVoice("gpt-4o-mini-tts", **account)
    noise = np.random.default_rng(1).normal(0, 3_000, SECONDS * RATE).astype(np.int16)
    utterance = Utterance(mulaw.encode(noise), Expectation(), "en")
    talk = Conversation(tuple(Message([Role.USER, Role.ASSISTANT][n % 2], "Some words. " * 8) for n in range(HISTORY)))
    for provider in (ear, mind, voice):
        await provider.ready()
    costs = []
    for _ in range(count + 1):
        upload = await cost(lambda: ear.transcribe(utterance))
        reply = await cost(lambda: mind.reply(talk))
        speech = [await cost(lambda: voice.speak(SENTENCE)) for _ in range(2)]
        costs.append(Cost(upload, reply, sum(speech)))
    for provider in (ear, mind, voice):
        await provider.aclose()
    return costs[1:]


async def cost(ask: Callable[[], AsyncIterator[Any]]) -> float:
    began = time.process_time()
    async with aclosing(ask()) as items:  # type: ignore[type-var]
        async for _ in items:
            pass
    return (time.process_time() - began) * 1_000


def run(client: str, base_url: str, count: int) -> Cost:
    """A round: the median of its turns, on the event loop that the server uses."""
    import uvloop

    os.environ["OFFHOOK_OPENAI_CLIENT"] = client
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        costs = runner.run(turns(base_url, count))
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve())
        return
    command = [sys.executable, __file__, "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        base_url = server.stdout.readline().strip()
        rounds: dict[str, list[Cost]] = {client: [] for client in CLIENTS}
        for _ in range(asked.rounds):
            for client in CLIENTS:
                rounds[client].append(run(client, base_url, asked.turns))
        server.stdin.close()
    best = {client: min(costs, key=lambda cost: cost.turn) for client, costs in rounds.items()}
    sdk, lean = (best[client] for client in CLIENTS)
    print(f"\n{'CPU, ms':<22}{'sdk':>8}{'lean':>8}{'lean : sdk':>14}")
    for name in ("upload", "reply", "speech", "turn"):
        one, other = getattr(sdk, name), getattr(lean, name)
        print(f"{name:<22}{one:>8.1f}{other:>8.1f}{other / one:>14.2f}")


if __name__ == "__main__":
    main()
