"""A language in which stories can be told: every word is a hum of its own pitch, so that it can be recognised again."""

import numpy as np

from offhook import Agent
from offhook.audio import mulaw
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice
from offhook.simulator.evidence import Loudness
from offhook.simulator.rehearsal import Rehearsal, rehearse
from offhook.simulator.sounds import Sound, sound

_WORD = 2_080
_GAP = 160
_BASE, _STEP = 400, 40

VOCABULARY = (
    "yes no hello book a room today two people please wait stop and what about tomorrow okay right so one three four "
    "five then goodbye operator repeat hold on mm-hmm cough"
).split()


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
        crossings = int(np.count_nonzero(np.diff(np.signbit(pcm[start:end]))))
        index = round((crossings * 8_000 / (end - start - 40) / 2 - _BASE) / _STEP)
        if end - start > _WORD // 2 and 0 <= index < len(VOCABULARY):
            words.append(VOCABULARY[index])
    return Transcript(" ".join(word for word in words if word != "cough"))


def ears(delay: float = 0.2) -> ScriptedTranscriber:
    """A transcriber that understands `speech`."""
    return ScriptedTranscriber(by_audio=recognise, delay=delay)


def agent(*replies: str, **settings: object) -> Agent:
    """An agent who gives these replies, one for each turn of the caller."""
    defaults: dict[str, object] = {
        "greeting": "Hello.",
        "stt": ears(),
        "llm": ScriptedModel(replies, first_token=0.3),
        "tts": ScriptedVoice(delay=0.1),
    }
    return Agent(**{**defaults, **settings})  # type: ignore[arg-type]


def tell(agent: Agent, script: object, **settings: object) -> Rehearsal:
    """Rehearse with ears that take what is loud for speech."""
    return rehearse(agent, script, hearing=Loudness(), **settings)  # type: ignore[arg-type]
