"""Checks of speech models in sessions that last: who is cut is silent at once, and what nobody heard was not said."""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from functools import partial
from typing import Any, cast

import numpy as np

from offhook.audio import mulaw
from offhook.conversation.messages import Message, Role
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.speech_interface import Briefing, SpeechModel, SpeechSession
from offhook.simulator.conformance.cancelling import ITEMS, require_prompt, until_noticed
from offhook.simulator.conformance.kinds import exchange, require_answer, require_sound, same, talking, whole
from offhook.simulator.conformance.subject import Subject
from offhook.simulator.conformance.timing import Stopwatch
from offhook.timebase import RATE

_LINES = "Hello there, how can I help you?", "One moment, please."
_PRESSED = "[pressed on the keypad: 4711]"


async def reads_aloud(subject: Subject) -> None:
    """What a speech model is given to say is said, as mu-law and nothing else."""
    async with subject.working() as model:
        if not isinstance(model, SpeechModel):
            return
        async with talking(model) as session:
            for number, text in enumerate(_LINES, start=1):
                sound = await _all(session.speak(number, text))
                assert all(isinstance(piece, bytes) for piece in sound), f"sound, please, not {sound!r:.200}"
                require_sound(text, mulaw.decode(b"".join(sound)).astype(np.int16), RATE)


async def stops_talking_at_once(subject: Subject) -> None:
    """A speech model's reply that is cut, at any moment; and nothing of it is in the next."""
    async with subject.working() as model:
        if not isinstance(model, SpeechModel):
            return
        questions = subject.asked(model)
        assert isinstance(questions.one, Utterance)
        alone = await whole(model, questions.one)
        numbers = itertools.count(1)
        async with talking(model) as session:
            for count in ITEMS:
                cut = partial(_cut, subject, session, cast(Utterance, questions.long), numbers, count)
                await require_prompt(subject, "cut", cut)
                items = [item async for item in exchange(session, next(numbers), questions.one)]
                next(numbers)
                require_answer(model, questions.one, items)
                assert not subject.steady or same(items, alone), "a reply has something of another that was cut"


async def believes_what_was_heard(subject: Subject) -> None:
    """A speech model is told what was noted, and believes neither what was cut nor what was forgotten."""
    async with subject.working() as model:
        if not isinstance(model, SpeechModel):
            return
        one, other, long, _ = cast(tuple[Utterance, Utterance, Utterance, Any], subject.asked(model))
        async with talking(model) as session:
            unheard = [item async for item in exchange(session, 1, one)]
            sound = sum(len(item) for item in unheard if isinstance(item, bytes))
            session.cut(2, sound // 4, _text(unheard).split(" ")[0])
            forgotten = [item async for item in exchange(session, 3, long)]
            session.forget(3)
            session.forget(4)
            session.note(Message(Role.USER, _PRESSED))
            require_answer(model, other, [item async for item in exchange(session, 5, other)])
            if (believed := subject.believed()) is None:
                return
            assert _PRESSED in believed, "what was noted is not part of the conversation"
            assert _text(unheard) not in believed, "it believes to have said what was cut"
            words = [item.text for item in forgotten if isinstance(item, Transcript) and item.final]
            gone = {*words, _text(forgotten)}
            assert not gone.intersection(believed), "it believes what was forgotten"


async def hangs_up_at_once(subject: Subject) -> None:
    """A speech model's session, at any moment and as often as you like; the next one goes on as if nothing were."""
    async with subject.working() as model:
        if not isinstance(model, SpeechModel):
            return
        questions = subject.asked(model)
        for count in ITEMS:
            hang_up = partial(_hang_up, subject, model, cast(Utterance, questions.long), count)
            await require_prompt(subject, "hung up", hang_up)
        require_answer(model, questions.one, await whole(model, questions.one))


async def _cut(
    subject: Subject, session: SpeechSession, utterance: Utterance, numbers: Iterator[int], count: int
) -> float:
    """Seconds until a reply is over of which some pieces have come, here and on the other side."""
    await _all(session.hear(next(numbers), utterance))
    before, number = subject.busy(), next(numbers)
    async with aclosing(cast(Any, session.reply(number))) as reply:
        for _ in range(count):
            await anext(reply, None)
        elapsed = Stopwatch()
    session.cut(number, 0, "")
    return await until_noticed(subject, before, elapsed)


async def _hang_up(subject: Subject, model: SpeechModel, utterance: Utterance, count: int) -> float:
    before = subject.busy()
    session = model.session(Briefing())
    session.open()
    async with aclosing(exchange(session, 1, utterance)) as items:
        for _ in range(count):
            await anext(items, None)
        elapsed = Stopwatch()
        await session.aclose()
    await session.aclose()
    return await until_noticed(subject, before, elapsed)


async def _all(stream: AsyncIterator[Any]) -> list[Any]:
    async with aclosing(cast(Any, stream)) as items:
        return [item async for item in items]


def _text(items: list[Any]) -> str:
    return "".join(item for item in items if isinstance(item, str)).strip()
