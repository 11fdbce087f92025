"""What a transcriber, a language model, a voice and a speech model are asked, and what is an answer."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.audio.sniff import require_samples
from offhook.conversation.expectation import Answers, Expectation
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall, ToolSpec
from offhook.errors import AudioFormatError
from offhook.providers.interfaces import (
    Conversation,
    LanguageModel,
    SpokenWord,
    Transcriber,
    Transcript,
    Usage,
    Utterance,
    Voice,
)
from offhook.providers.speech_interface import Briefing, SpeechModel, SpeechSession
from offhook.timebase import RATE

Provider: TypeAlias = Transcriber | LanguageModel | Voice | SpeechModel
Question: TypeAlias = Utterance | Conversation | str
Item: TypeAlias = Transcript | str | ToolCall | Usage | bytes | SpokenWord

RATES = (8_000, 16_000, 22_050, 24_000, 48_000)
WORD_SECONDS = 0.125, 0.75
"""How long a spoken word takes, at the least and at the most: speech has two to four a second. Beyond that, `rate` is
not the rate of the samples."""
LIKE = 0.05
"""How far apart the lengths may lie of one text spoken twice."""


class Questions(NamedTuple):
    """What a provider is asked: two ordinary questions with different answers, one that keeps it at work, and things
    that it must not stumble over."""

    one: Question
    other: Question
    long: Question
    odd: Sequence[Question]


def ask(provider: Provider, question: Question) -> AsyncGenerator[Item, None]:
    """The answer as it comes."""
    match provider, question:
        case Transcriber(), Utterance():
            answer = cast(AsyncGenerator[Item, None], provider.transcribe(question))
        case LanguageModel(), Conversation():
            answer = cast(AsyncGenerator[Item, None], provider.reply(question))
        case Voice(), str():
            answer = cast(AsyncGenerator[Item, None], provider.speak(question))
        case SpeechModel(), Utterance():
            answer = _call(provider, question)
        case _:
            raise AssertionError(f"{type(provider).__name__} cannot be asked a {type(question).__name__}")
    assert hasattr(answer, "aclose"), f"{type(provider).__name__} must answer with an async generator"
    return answer


async def _call(model: SpeechModel, utterance: Utterance) -> AsyncGenerator[Item, None]:
    """A conversation of one turn and its answer."""
    async with talking(model) as session, aclosing(exchange(session, 1, utterance)) as items:
        async for item in items:
            yield item


async def exchange(session: SpeechSession, number: int, utterance: Utterance) -> AsyncGenerator[Item, None]:
    """The words of a turn (request `number`) and what is answered (the next one)."""
    for stream in (session.hear(number, utterance), session.reply(number + 1)):
        assert hasattr(stream, "aclose"), f"{type(session).__name__} must answer with async generators"
        async with aclosing(cast(Any, stream)) as items:
            async for item in items:
                yield item


@asynccontextmanager
async def talking(model: SpeechModel) -> AsyncIterator[SpeechSession]:
    """A session, which is closed."""
    session = model.session(Briefing("Answer the caller briefly.", "en"))
    try:
        session.open()
        yield session
    finally:
        await session.aclose()


async def whole(provider: Provider, question: Question) -> list[Item]:
    """The answer when it is complete."""
    async with aclosing(ask(provider, question)) as items:
        return [item async for item in items]


def require_shape(provider: Provider, items: Sequence[Item]) -> None:
    """That these items may be an answer, whatever the question was."""
    match provider:
        case Transcriber():
            _require_transcripts(items)
        case LanguageModel():
            assert all(isinstance(item, str | ToolCall | Usage) for item in items), f"no bytes, please: {items!r:.200}"
            assert not any(isinstance(item, Usage) for item in items[:-1]), "usage comes once, at the end"
        case Voice():
            assert all(isinstance(item, bytes | SpokenWord) for item in items), f"bytes, please, not {items!r:.200}"
            audio = b"".join(item for item in items if isinstance(item, bytes))
            assert len(audio) % 2 == 0, "samples have two bytes: the last one is cut in half"
            _require_samples(audio)
        case SpeechModel():
            heard = sum(isinstance(item, Transcript) for item in items)
            _require_transcripts(items[:heard])
            assert all(isinstance(item, str | bytes | ToolCall | Usage) for item in items[heard:]), (
                "words and sound, please"
            )
            assert not any(isinstance(item, Usage) for item in items[:-1]), "usage comes once, at the end"
            _require_samples(b"".join(item for item in items if isinstance(item, bytes)))


def require_answer(provider: Provider, question: Question, items: Sequence[Item]) -> None:
    """That these items are an answer to an ordinary question."""
    require_shape(provider, items)
    written = "".join(item for item in items if isinstance(item, str))
    sound = b"".join(item for item in items if isinstance(item, bytes))
    if isinstance(provider, LanguageModel):
        assert written.strip() or any(isinstance(item, ToolCall) for item in items), "a reply must say or do something"
    elif isinstance(provider, Voice):
        assert isinstance(question, str)
        require_sound(question, np.frombuffer(sound, "<i2"), provider.rate)
    elif isinstance(provider, SpeechModel) and not any(isinstance(item, ToolCall) for item in items):
        require_sound(written, mulaw.decode(sound), RATE)


def require_sound(text: str, samples: NDArray[np.int16], rate: int) -> None:
    """That these samples may be this text, said aloud."""
    seconds, (least, most) = len(samples) / rate, (each * len(text.split()) for each in WORD_SECONDS)
    assert len(samples), f"nothing is to be heard of {text!r}"
    assert least <= seconds <= most, f"{text!r} takes {seconds:.1f} s at {rate} Hz: is that its rate?"
    assert np.abs(samples.astype(int)).max() > 300, "that is silence"


def same(one: Sequence[Item], other: Sequence[Item]) -> bool:
    """Whether two answers say the same. How a voice says it may vary."""
    lengths = [sum(len(item) for item in items if isinstance(item, bytes)) for items in (one, other)]
    return _words(one) == _words(other) and abs(lengths[0] - lengths[1]) <= LIKE * max(lengths)


def usual(provider: Provider) -> Questions:
    """What is asked where the subject has no questions of its own."""
    if isinstance(provider, Transcriber | SpeechModel):
        sizes = (0, 1, 159, 1_601, 60 * RATE)
        return Questions(hiss(1.0), hiss(1.5), hiss(6.0), [hiss(size / RATE) for size in sizes])
    if isinstance(provider, LanguageModel):
        return Questions(_talk("Good morning."), _talk("Thank you."), _talk("Tell me a long story."), _ODD_TALKS)
    return Questions("Hello there, how are you today?", "One moment.", "and so on " * 8, _ODD_TEXTS)


_ODD_TEXTS = ("", " \n", "😀", "<speak><break time='9s'/></speak>", "\x00\x01+90S \x1b[0m", "\ud800", "אב 你")
_TOOL = ToolSpec("look_up", "Looks something up.", {"type": "object", "properties": {"what": {"type": "string"}}})
_CALL = ToolCall("call_1", _TOOL.name, '{"what": "the time"}')


def _talk(*said: str) -> Conversation:
    return Conversation(tuple(Message(Role.USER, text) for text in said), call_id="CA1", parameters={"From": "+1"})


_ODD_TALKS = (
    Conversation((Message(Role.SYSTEM, "Greet the caller."),)),
    Conversation(_talk("What time is it?").messages, (_TOOL,)),
    Conversation(
        (
            *_talk("What time is it?").messages,
            Message(Role.ASSISTANT, "", (_CALL,)),
            Message(Role.TOOL, "noon", answers=_CALL.id),
        ),
        (_TOOL,),
    ),
    _talk(""),
    _talk("first", "second, and nothing was answered"),
    _talk("😀 אב 你 \x00 \ud800"),
)


def hiss(seconds: float) -> Utterance:
    """A noise as loud as speech, where "yes" or "no" is expected."""
    samples = np.random.default_rng(1).normal(0, 3_000, round(RATE * seconds)).clip(-32_000, 32_000)
    return Utterance(mulaw.encode(samples.astype(np.int16)), Expectation(Answers.YES_NO, "yes | no"), "en")


def _words(items: Sequence[Item]) -> list[object]:
    """A transcript as it ended, a reply put together; what it cost does not matter."""
    heard = [item for item in items if isinstance(item, Transcript) and item.final]
    calls = [(item.name, item.arguments) for item in items if isinstance(item, ToolCall)]
    return [*heard, "".join(item for item in items if isinstance(item, str)), *calls]


def _require_transcripts(items: Sequence[Item]) -> None:
    assert all(isinstance(item, Transcript) for item in items), f"transcripts, please, not {items!r:.200}"
    finals = [item.final for item in items if isinstance(item, Transcript)]
    assert finals[-1:] == [True], "the last transcript must be final"
    assert not any(finals[:-1]), "only the last transcript may be final"
    assert all(isinstance(item.text, str) for item in items if isinstance(item, Transcript)), "text, please"


def _require_samples(audio: bytes) -> None:
    try:
        require_samples(audio)
    except AudioFormatError as error:
        raise AssertionError(str(error)) from None
