"""Checks of answers: what they are, that they come bit by bit, and that many at once do not disturb each other."""

import asyncio
from contextlib import aclosing

from offhook.errors import ProviderError
from offhook.providers.interfaces import LanguageModel, Transcriber, Transcript, Voice
from offhook.providers.speech_interface import SpeechModel
from offhook.simulator.conformance.kinds import RATES, ask, require_answer, require_shape, same, whole
from offhook.simulator.conformance.subject import Subject
from offhook.simulator.conformance.timing import Stopwatch, best

SOON = 0.75
"""Of an answer's whole time, how much may pass before its first piece."""
LAG = 0.1
"""Seconds for which the event loop, which carries all other calls, may be kept from its work."""
_BEAT = 0.005
_KINDS: tuple[type, ...] = (Transcriber, LanguageModel, Voice, SpeechModel)
_CROWD = 8
PATIENCE = 10.0
"""Seconds for any answer."""


async def fits_one_interface(subject: Subject) -> None:
    """It is a transcriber, a language model, a voice or a speech model, and says what it has to say of itself."""
    provider = subject.make()
    kinds = [kind.__name__ for kind in _KINDS if isinstance(provider, kind)]
    assert len(kinds) == 1, f"{type(provider).__name__} must have the methods of exactly one interface, not {kinds}"
    if isinstance(provider, Voice):
        assert provider.rate in RATES, f"rate={provider.rate} is none of {RATES}"
    if isinstance(provider, LanguageModel):
        assert isinstance(provider.speculative, bool), "speculative is True or False"
    await provider.aclose()


async def answers_what_it_is_asked(subject: Subject) -> None:
    """Again and again, also after `ready` was asked twice."""
    async with subject.working() as provider:
        await provider.ready()
        questions = subject.asked(provider)
        for question in (questions.one, questions.other, questions.one):
            require_answer(provider, question, await whole(provider, question))


async def answers_bit_by_bit(subject: Subject) -> None:
    """The first piece comes well before the last."""
    async with subject.working() as provider:
        if isinstance(provider, Transcriber) or not subject.streams:
            return

        async def share() -> float:
            elapsed, came = Stopwatch(), []
            async for item in ask(provider, subject.asked(provider).long):
                if isinstance(item, Transcript):
                    elapsed = Stopwatch()  # the answer begins when the question is over
                else:
                    came.append(elapsed())
            assert len(came) > 1, "all comes at once"
            return came[0] / came[-1]

        assert await best(share, SOON) < SOON, "the first piece waits for nearly all the others"


async def stumbles_over_nothing(subject: Subject) -> None:
    """Whatever it is asked, it answers or raises `ProviderError`."""
    async with subject.working() as provider:
        for question in subject.asked(provider).odd:
            try:
                require_shape(provider, await asyncio.wait_for(whole(provider, question), PATIENCE))
            except ProviderError:
                continue
            except TimeoutError:
                raise AssertionError(f"{question!r:.80} is not answered within {PATIENCE:g} s") from None


async def serves_many_at_once(subject: Subject) -> None:
    """Their answers are those that they get alone, though some are cancelled meanwhile."""
    async with subject.working() as provider:
        questions = subject.asked(provider)
        pair = questions.one, questions.other
        alone = [await whole(provider, question) for question in pair]
        asked = [number % 2 for number in range(_CROWD)]
        crowd = [asyncio.create_task(whole(provider, pair[which])) for which in asked]
        dropped = [asyncio.create_task(whole(provider, questions.long)) for _ in range(_CROWD // 2)]
        for task in dropped:
            await asyncio.sleep(_BEAT)
            task.cancel()
        for which, task in zip(asked, crowd, strict=True):
            items = await task
            assert not subject.steady or same(items, alone[which]), "one request got what belongs to another"
            require_answer(provider, pair[which], items)
        await asyncio.gather(*dropped, return_exceptions=True)


async def keeps_nobody_waiting(subject: Subject) -> None:
    """An answer that is read slowly keeps no other from coming, and comes whole."""
    async with subject.working() as provider:
        questions = subject.asked(provider)
        async with aclosing(ask(provider, questions.long)) as slow:
            begun = await anext(slow)
            try:
                quick = await asyncio.wait_for(whole(provider, questions.one), PATIENCE)
            except TimeoutError:
                raise AssertionError("a request waits for another one's reader") from None
            require_answer(provider, questions.one, quick)
            require_shape(provider, [begun] + [item async for item in slow])


async def leaves_the_event_loop_alone(subject: Subject) -> None:
    """It computes and waits elsewhere."""
    async with subject.working() as provider:

        async def lag() -> float:
            beating = asyncio.create_task(_longest_beat())
            await asyncio.sleep(0)
            for question in subject.asked(provider)[:3]:
                await whole(provider, question)
            beating.cancel()
            return await beating

        subject.took("the event loop was kept", kept := await best(lag, LAG))
        assert kept < LAG, f"the event loop stands still for {1_000 * kept:.0f} ms"


async def _longest_beat() -> float:
    """How much later than it should a timer rang, at worst, until it was cancelled."""
    longest = 0.0
    try:
        while True:
            elapsed = Stopwatch()
            await asyncio.sleep(_BEAT)
            longest = max(longest, elapsed() - _BEAT)
    except asyncio.CancelledError:
        return longest
