"""Families in which the caller has the floor: turns with pauses, dictated numbers, one-word answers."""

from collections.abc import Awaitable, Callable

from offhook.conversation.answers import Anything, Digits
from offhook.conversation.flow import Flow
from offhook.conversation.questions import Question
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.score import measures, speeches
from offhook.simulator.score.corpus import Speech
from offhook.simulator.score.stage import Sample, Scene, Stage

_GAPS = (0.3, 1.5)


def _answered(speech: Speech, before: float = 0.4) -> Callable[[Stage, SimulatedCaller], Awaitable[None]]:
    async def script(stage: Stage, caller: SimulatedCaller) -> None:
        await caller.pause(before)
        await stage.say(caller, speech)
        try:
            await caller.agent_speaks(measures.MISSED + 0.2)
        except TimeoutError:
            return
        await caller.pause(0.6)

    return script


def _measured(stage: Stage, name: str = "") -> list[Sample]:
    (turn,) = stage.said("turn")
    samples = measures.turn_end(stage, turn, name=name)
    if stage.recipe.factor == 1:
        samples += measures.used_words(stage)
    return samples


# A turn with real pauses


def _hesitant(stage: Stage) -> Speech:
    """Natural turns as far as there are any, each once; then sentences that are made to hesitate."""
    natural = stage.corpus.turns()
    if stage.recipe.item < len(natural):
        return natural[stage.recipe.item]
    sentences = stage.corpus.sentences()
    for _ in range(20):
        made = speeches.hesitant(stage.corpus, stage.random.choice(sentences), stage.random)
        if made is not None:
            return made
    return natural[0]


async def _pauses(stage: Stage, caller: SimulatedCaller) -> None:
    speech = _hesitant(stage)
    stage.marks["natural"] = speech.natural
    await _answered(speech)(stage, caller)


def _pauses_measured(stage: Stage) -> list[Sample]:
    (turn,) = stage.said("turn")
    return [*_measured(stage), stage.sample("natural holds", len(turn.speech.holds) * turn.speech.natural)]


# A number dictated 3-3-4


def _desk(stage: Stage) -> None:
    known = stage.recipe.family == "digits known"
    number = Question("number", "One.", Digits(10 if known else None), check=False)
    more = Question("more", "Seven.", Anything())
    stage.hire(llm=Flow(greeting="", questions=(number, more), confirm="", done="Five."))


async def _dictates(stage: Stage, caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.4)
    await _answered(speeches.dictated(stage.corpus, (3, 3, 4), _GAPS, stage.random))(stage, caller)


def _dictated(stage: Stage) -> list[Sample]:
    samples = _measured(stage, stage.recipe.family + " ")
    cut = any(sample.value for sample in samples if sample.metric.endswith(" cut-in"))
    return [*samples, stage.sample(f"{stage.recipe.family} interrupted", cut)]


# One word


async def _answers(stage: Stage, caller: SimulatedCaller) -> None:
    answers = [it for it in stage.corpus.of("answer") if len(it.text.split()) <= 2]
    await _answered(stage.corpus.speech(stage.random.choice(answers)))(stage, caller)


def _hire(stage: Stage) -> None:
    stage.hire("Nine.")


FAMILIES = {
    "pauses": Scene(_hire, _pauses, _pauses_measured),
    "digits known": Scene(_desk, _dictates, _dictated),
    "digits unknown": Scene(_desk, _dictates, _dictated),
    "answer": Scene(_hire, _answers, lambda stage: _measured(stage, "answer ")),
}
