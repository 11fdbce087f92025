"""A language in which stories can be told: every word is a hum of its own pitch, so that it can be recognised again."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from offhook import Agent
from offhook.audio import mulaw
from offhook.call.inputs import Order
from offhook.call.outputs import CallEnded
from offhook.call.replay import first_difference
from offhook.call.tape import read
from offhook.conversation.messages import Message
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice, hum
from offhook.runtime.driver import Driver
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.rehearsal import Rehearsal, rehearse
from offhook.simulator.report import CallReport, Turn
from offhook.simulator.sounds import Sound, sound

FAULT = "we closed the socket"
"""Why a call ended that did not end itself: nobody but a fault of ours closes the socket of a call that goes on."""
Story = Callable[[SimulatedCaller], Awaitable[None]]

_WORD = 2_080
_GAP = 160
_BASE, _STEP = 400, 40
AGENT_WORD = 2_400
"""Samples of one of the agent's words."""

VOCABULARY = [
    "yes",
    "no",
    "hello",
    "book",
    "a",
    "room",
    "today",
    "two",
    "people",
    "please",
    "wait",
    "stop",
    "and",
    "what",
    "about",
    "tomorrow",
    "okay",
    "right",
    "so",
    "one",
    "three",
    "four",
    "five",
    "then",
    "goodbye",
    "operator",
    "repeat",
    "hold",
    "on",
    "mm-hmm",
    "cough",
    "half",
    "an",
    "hour",
    "thirty",
    "p",
    "m",
    "mountain",
    "view",
    "new",
    "york",
]


def speech(words: str) -> Sound:
    """Somebody says `words`: 260 ms each, 20 ms between them."""
    pieces = []
    for word in words.split():
        hertz = _BASE + _STEP * VOCABULARY.index(word)
        wave = np.sin(2 * np.pi * hertz * np.arange(_WORD) / 8_000) * 6_000
        pieces.append(mulaw.encode(wave.astype(np.int16)) + mulaw.SILENCE * _GAP)
    return sound(b"".join(pieces), words)


def recognise(utterance: Utterance) -> Transcript:
    """The words of an utterance; "cough" is heard as nothing. A word of which less than half came is lost."""
    pcm = mulaw.decode(utterance.mulaw).astype(np.int32)
    loud = np.abs(pcm) > 500
    edges = np.flatnonzero(np.diff(np.convolve(loud, np.ones(40), "same") > 0, prepend=False, append=False))
    words = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        hertz = int(np.abs(np.fft.rfft(pcm[start:end])).argmax()) * 8_000 / (end - start)
        index = round((hertz - _BASE) / _STEP)
        if end - start > _WORD // 2 and 0 <= index < len(VOCABULARY):
            words.append(VOCABULARY[index])
    return Transcript(" ".join(word for word in words if word != "cough"))


def ears(delay: float = 0.2, partials_every: float | None = None) -> ScriptedTranscriber:
    """A transcriber that understands `speech`."""
    return ScriptedTranscriber(by_audio=recognise, delay=delay, partials_every=partials_every)


def voiced(text: str) -> bytes:
    """What the agent's voice makes of a text, as it reaches the caller's ear."""
    return b"".join(mulaw.encode(np.frombuffer(hum(word, 8_000, 0.3), "<i2")) for word in text.split())


def agent(*replies: str, **settings: Any) -> Agent:
    """An agent who gives these replies, one for each turn of the caller."""
    defaults: dict[str, Any] = {
        "greeting": "Hello.",
        "stt": ears(),
        "llm": ScriptedModel(replies or ("Fine.",), first_token=0.3),
        "tts": ScriptedVoice(delay=0.1),
    }
    return Agent(**{**defaults, **settings})


def tell(agent: Agent, script: Story, **settings: Any) -> Rehearsal:
    """Rehearse with ears that take what is loud for speech. Whatever the story, no carrier would complain, nothing is
    left of the call, and its tape replays exactly."""
    told = rehearse(agent, script, **{"hearing": Loudness(), **settings})
    assert call(told).problems == ()
    (end,) = [report for _, report in told.reports if isinstance(report, CallEnded)]
    assert end.reason != FAULT, "a fault ended the call"
    for provider in (agent.stt, agent.llm, agent.tts):
        assert getattr(provider, "running", 0) == 0
    assert first_difference(read(bytes(told.tape))) is None
    return told


def call(told: Rehearsal) -> CallReport:
    """What the caller did and heard."""
    assert told.caller is not None
    return told.caller


def turn(told: Rehearsal, words: str) -> Turn:
    """How the agent dealt with what the caller said in these words."""
    return next(turn for turn in call(told).turns if turn.said.label == words)


def over_the_greeting(*parts: str | Sound | float, after: float = 1.0, then: float = 2.0) -> Story:
    """The caller listens for `after` seconds, speaks over the agent, and waits until it has been quiet for `then`
    seconds. What is said comes in parts: words, other sounds, and pauses in seconds."""

    async def script(caller: SimulatedCaller) -> None:
        await caller.agent_speaks()
        await caller.pause(after)
        for part in parts:
            match part:
                case str():
                    await caller.say(speech(part))
                case Sound():
                    await caller.say(part)
                case _:
                    await caller.pause(part)
        await caller.listen_until_quiet(then)

    return script


def over_the_agent(*parts: str | Sound | float, after: float = 1.0, then: float = 2.0) -> Story:
    """The same over a reply: the caller hears the greeting out, and asks first."""
    speaks_over_it = over_the_greeting(*parts, after=after, then=then)

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await speaks_over_it(caller)

    return script


async def rich(caller: SimulatedCaller) -> None:
    """A call of 17 seconds: a pause, a cough, a nod, an interruption, keys, "hold on" and a goodbye."""
    await caller.listen_until_quiet(0.5)
    await caller.say(speech("book a room"))
    await caller.pause(0.4)
    await caller.say(speech("please"))
    await caller.agent_speaks()
    await caller.pause(0.9)
    await caller.say(speech("cough"))
    await caller.pause(1.2)
    await caller.say(speech("okay"))
    await caller.pause(1.2)
    await caller.say(speech("no wait stop"))
    await caller.pause(0.85)
    await caller.say(speech("tomorrow"))
    await caller.agent_speaks()
    await caller.press("12#")
    await caller.agent_speaks()
    await caller.pause(0.5)
    await caller.say(speech("hold on"))
    await caller.pause(2)
    await caller.say(speech("goodbye"))
    await caller.pause(4)


def heard_audio(told: Rehearsal) -> bytes:
    """All that the agent played, without the silence between."""
    return b"".join(piece for _, piece in call(told).ear.pieces())


def orders(*timed: tuple[float, Order]) -> Callable[[Driver], None]:
    """For `tell(on_driver=…)`: orders from outside, each at its second of the call."""

    def give(driver: Driver) -> None:
        for at, order in timed:
            asyncio.get_running_loop().call_later(at, driver.order, order)

    return give


def asked(model: ScriptedModel) -> list[list[Message]]:
    """What a model was asked with, request by request."""
    return [list(conversation.messages) for conversation in model.asked]
