"""Providers that fail in calls: the next one answers within the turn, and the one after that goes straight to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kit import agent, ears, speech, tell, voiced

from offhook.call.config import Phrases
from offhook.errors import Failure, ProviderError
from offhook.providers.scripted import Breaks, ScriptedModel, ScriptedVoice
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import seconds
from offhook.turns.patience import Patience

APOLOGY, REPLY = Phrases().apology, "We have a room for you."
WAYS = {
    "refuses": ProviderError(Failure.REFUSED, "invalid_api_key", 401),
    "is overloaded": ProviderError(Failure.OVERLOADED, "429 rate_limit_exceeded", 429, retry_after=20.0),
    "is away": ProviderError(Failure.UNREACHABLE, "All connection attempts failed"),
    "is broken": ProviderError(Failure.BROKEN, "500 server_error", 500),
    "times out": ProviderError(Failure.TIMEOUT, "nothing came for 5 s"),
    "crashes": ValueError("a plugin's own fault"),
    "hangs": None,
}
STAGES = {"stt": "transcription", "llm": "reply", "tts": "speech"}


class Sick:
    """A provider that fails in a stated way, up to a second of the call."""

    speculative = True
    rate = 8_000

    def __init__(self, name: str, provider: Any, how: str, ill_until: float = 1e9) -> None:
        self.name = name
        self.running = 0
        self.asked: list[float] = []
        self._provider = provider
        self._how = how
        self._ill_until = ill_until

    def transcribe(self, utterance: Any) -> AsyncIterator[Any]:
        return self._answer(self._provider.transcribe(utterance))

    def reply(self, conversation: Any) -> AsyncIterator[Any]:
        return self._answer(self._provider.reply(conversation))

    def speak(self, text: str) -> AsyncIterator[Any]:
        return self._answer(self._provider.speak(text))

    async def _answer(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        now = asyncio.get_running_loop().time()
        self.asked.append(now)
        self.running += 1
        try:
            if now < self._ill_until:
                await asyncio.sleep(0.05)
                if error := WAYS[self._how]:
                    raise error
                await asyncio.get_running_loop().create_future()
            async for item in items:
                yield item
        finally:
            self.running -= 1

    async def ready(self) -> None:
        """Seems to be."""

    async def aclose(self) -> None:
        """Nothing to let go of."""


PROVIDERS: dict[str, Callable[[], Any]] = {
    "stt": ears,
    "llm": lambda: ScriptedModel([REPLY], first_token=0.3),
    "tts": ScriptedVoice,
}


def told(stage: str, sick: Sick, *waits: float) -> Rehearsal:
    """A call in which the caller asks for a room, waits and asks again. The greeting is recorded, so that every stage
    is needed by the first turn and not before."""

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)
        for wait in waits:
            await caller.pause(wait)
            await caller.say(speech("book a room"))
            await caller.listen_until_quiet(1.2)

    patient = Patience(idle=seconds(1_000))
    one = agent(**{"llm": PROVIDERS["llm"](), stage: [sick, PROVIDERS[stage]()]}, patience=patient)
    return tell(one, script, recordings={"Hello.": voiced("Hello.")})


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("stage", STAGES)
def test_the_second_answers_within_the_turn_and_is_asked_at_once_in_the_next(
    stage: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    sick = Sick("acme", PROVIDERS[stage](), how)
    rehearsal = told(stage, sick, 0.5)
    assert rehearsal.agent_said == ["Hello.", REPLY, REPLY], "nobody apologises"
    assert rehearsal.user_said == ["book a room"] * 2
    assert rehearsal.warnings == []
    assert len(sick.asked) == 1
    first, second = (turn.played for turn in rehearsal.delays)
    assert first - second <= seconds(1.6 if how == "hangs" else 0.1)
    assert second <= seconds(1.2), "what it takes when nothing fails"
    (line,) = caplog.messages
    assert line.startswith(f"{STAGES[stage]}: acme ")
    if how == "hangs":
        assert line.startswith(f"{STAGES[stage]}: acme did not answer within 1.5 s; Scripted")


@pytest.mark.parametrize(("how", "bench"), [("is away", 10), ("hangs", 10), ("is overloaded", 20)])
@pytest.mark.parametrize("stage", STAGES)
def test_after_its_bench_the_first_is_tried_again(stage: str, how: str, bench: int) -> None:
    sick = Sick("acme", PROVIDERS[stage](), how)
    told(stage, sick, bench / 2, bench / 2)
    assert len(sick.asked) == 2
    assert sick.asked[1] - sick.asked[0] > bench


@pytest.mark.parametrize("stage", STAGES)
def test_once_it_is_well_it_is_the_first_again(stage: str) -> None:
    sick = Sick("acme", PROVIDERS[stage](), "is away", ill_until=12.0)
    rehearsal = told(stage, sick, 12, 0.5, 0.5)
    assert rehearsal.agent_said == ["Hello.", *[REPLY] * 4]
    assert len(sick.asked) >= 4, "in every turn but the first"


@pytest.mark.parametrize("stage", STAGES)
def test_who_refuses_the_key_is_never_asked_again_and_it_is_said_once(
    stage: str, caplog: pytest.LogCaptureFixture
) -> None:
    sick = Sick("acme", PROVIDERS[stage](), "refuses")
    rehearsal = told(stage, sick, 15, 30, 60)
    assert rehearsal.agent_said.count(REPLY) == 4
    assert len(sick.asked) == 1
    assert caplog.messages == [
        f"{STAGES[stage]}: acme is not asked any more until Offhook is started anew: invalid_api_key"
    ]


def test_a_key_that_nobody_accepts_fails_at_once(caplog: pytest.LogCaptureFixture) -> None:
    sick = Sick("acme", PROVIDERS["llm"](), "refuses")

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)

    rehearsal = tell(agent(llm=sick), script)
    assert rehearsal.agent_said == ["Hello.", APOLOGY, APOLOGY]
    assert len(sick.asked) == 1
    assert len(caplog.messages) == 1


def test_a_reply_that_breaks_off_before_it_is_heard_is_written_by_the_next_one() -> None:
    async def asks(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(2.0)
        await caller.hang_up()

    first = ScriptedModel([Breaks("We have", ProviderError(Failure.BROKEN, "the stream stopped"))], first_token=0.9)
    answered = tell(agent(llm=[first, ScriptedModel(["Fine."], first_token=0.1)]), asks)
    assert answered.agent_said == ["Hello.", "Fine."]
