"""Stories of providers that fail: the caller hears an apology and is asked again, and never silence."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from kit import agent, call, ears, heard_audio, speech, tell, voiced

from booking import BOOKING
from offhook.call.config import Limits, Phrases
from offhook.call.outputs import AgentSaid, CallEnded
from offhook.errors import Failure, ProviderError
from offhook.providers.scripted import ScriptedModel, ScriptedVoice
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import seconds

APOLOGY, LAST_APOLOGY = Phrases().apology, Phrases().failure_goodbye


class Sick:
    """A provider that fails in a stated way, for some requests, until it is `well`."""

    speculative = True
    rate = 8_000

    def __init__(self, provider: Any, how: str, when: Callable[[Any], bool] = lambda _: True) -> None:
        self.well = False
        self.running = 0
        self._provider = provider
        self._how = how
        self._when = when

    def transcribe(self, utterance: Any) -> AsyncIterator[Any]:
        return self._answer(self._provider.transcribe, utterance)

    def reply(self, conversation: Any) -> AsyncIterator[Any]:
        return self._answer(self._provider.reply, conversation)

    def speak(self, text: Any) -> AsyncIterator[Any]:
        return self._answer(self._provider.speak, text)

    async def _answer(self, ask: Callable[[Any], AsyncIterator[Any]], request: Any) -> AsyncIterator[Any]:
        self.running += 1
        try:
            if not self.well and self._when(request):
                async for item in self._fail(ask(request)):
                    yield item
            else:
                async for item in ask(request):
                    yield item
        finally:
            self.running -= 1

    async def _fail(self, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
        await asyncio.sleep(0.1)
        match self._how:
            case "refuses":
                raise ProviderError(Failure.REFUSED, "no such key")
            case "crashes":
                raise ValueError("a plugin's own fault")
            case "hangs":
                await asyncio.get_running_loop().create_future()
            case "breaks" | "stops":
                count = 0
                async for item in items:
                    if getattr(item, "final", False) or count == 2:
                        break
                    yield item
                    count += 1
                if self._how == "breaks":
                    raise ProviderError(Failure.BROKEN, "the connection is gone")
            case "is mute":
                return
            case "sends a WAV file":
                file = io.BytesIO()
                with wave.open(file, "wb") as writer:
                    writer.setparams((1, 2, 8_000, 0, "NONE", ""))
                    writer.writeframes(bytes(8_000))
                data = file.getvalue()
                for at in range(0, len(data), 3):
                    yield data[at : at + 3]
            case "sends JSON":
                yield b'{"error": {"message": "The model is overloaded."}}'

    async def ready(self) -> None:
        """Seems to be."""

    async def aclose(self) -> None:
        """Nothing to let go of."""


def sick(stage: str, how: str) -> tuple[Sick, dict[str, Any]]:
    """A provider that is sick, and the agent's settings with it. A sick voice can apologise."""
    match stage:
        case "stt":
            provider = Sick(ears(partials_every=0.05), how)
        case "llm":
            provider = Sick(ScriptedModel(["We have a room for you."]), how)
        case _:
            provider = Sick(ScriptedVoice(), how, lambda text: text.endswith("for you."))
    return provider, {stage: provider}


def ended(told: Rehearsal) -> str:
    (end,) = [report for _, report in told.reports if isinstance(report, CallEnded)]
    return end.reason


WAYS = [
    *((stage, how) for stage in ("stt", "llm", "tts") for how in ("refuses", "crashes", "hangs", "breaks", "is mute")),
    ("stt", "stops"),
    ("tts", "sends a WAV file"),
    ("tts", "sends JSON"),
]


@pytest.mark.parametrize("speculate", [True, False])
@pytest.mark.parametrize(("stage", "how"), WAYS)
@pytest.mark.filterwarnings("default")
def test_the_caller_hears_an_apology_and_is_asked_again(stage: str, how: str, speculate: bool) -> None:
    provider, settings = sick(stage, how)

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)
        provider.well = True
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)

    told = tell(agent("We have a room for you.", speculate=speculate, **settings), script)
    assert APOLOGY in told.agent_said
    assert told.agent_said.count(APOLOGY) == 1
    assert told.agent_said[-1] == "We have a room for you."
    assert told.user_said[-1] == "book a room"
    assert told.warnings
    assert ended(told) == "stop"


@pytest.mark.parametrize(("stage", "how"), [(stage, how) for stage, how in WAYS if stage != "tts"])
def test_three_failures_in_a_row_are_enough(stage: str, how: str) -> None:
    _, settings = sick(stage, how)

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for _ in range(4):
            await caller.say(speech("book a room"))
            await caller.listen_until_quiet(1.2)

    told = tell(agent(**settings), script)
    assert [said for said in told.agent_said if said in (APOLOGY, LAST_APOLOGY)] == [APOLOGY, APOLOGY, LAST_APOLOGY]
    assert told.agent_said[-1] == LAST_APOLOGY
    assert ended(told) == "failure"
    assert call(told).ended_by == "server"


@pytest.mark.parametrize("how", ["refuses", "crashes", "hangs", "is mute", "sends a WAV file", "sends JSON"])
def test_a_voice_that_is_dead_ends_the_call_soon(how: str) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.server_hangs_up(timeout=30)

    told = tell(agent(tts=Sick(ScriptedVoice(), how)), script)
    assert ended(told) == "failure"
    assert heard_audio(told) == b""
    assert call(told).ended_at < seconds(17)


@pytest.mark.parametrize("how", ["refuses", "hangs", "is mute", "sends JSON"])
def test_what_was_recorded_before_is_played_when_the_voice_is_dead(how: str) -> None:
    """The apologies are as many pieces as they have sentences."""
    sentences = [*_sentences(APOLOGY), *_sentences(LAST_APOLOGY)]
    recordings = {sentence: voiced(sentence) for sentence in sentences}

    async def script(caller: SimulatedCaller) -> None:
        for _ in range(2):
            await caller.listen_until_quiet(1.0)
            await caller.say(speech("book a room"))
        await caller.server_hangs_up(timeout=30)

    told = tell(agent(tts=Sick(ScriptedVoice(), how)), script, recordings=recordings)
    assert told.agent_said == [APOLOGY, APOLOGY, LAST_APOLOGY]
    assert heard_audio(told) == voiced(f"{APOLOGY} {APOLOGY} {LAST_APOLOGY}")
    assert ended(told) == "failure"


def _sentences(text: str) -> list[str]:
    from offhook.conversation.sentences import SentenceCutter

    cutter = SentenceCutter()
    return [*cutter.feed(text), *cutter.finish()]


def test_recorded_phrases_are_played_without_asking_the_voice() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("hello"))
        await caller.listen_until_quiet(0.8)

    voice = ScriptedVoice()
    told = tell(agent("Hello.", tts=voice), script, recordings={"Hello.": voiced("recorded")})
    assert voice.asked == []
    assert told.agent_said == ["Hello.", "Hello."]
    assert heard_audio(told) == voiced("recorded recorded")
    assert call(told).ear.first_audible(0) == 0


def test_a_success_forgives_what_failed_before() -> None:
    provider, settings = sick("llm", "refuses")

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for well in (False, False, True, False, False, True):
            provider.well = well
            await caller.say(speech("book a room"))
            await caller.listen_until_quiet(1.2)

    told = tell(agent(**settings), script)
    assert told.agent_said.count(APOLOGY) == 4
    assert ended(told) == "stop"


def test_the_next_in_order_of_preference_takes_over() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(0.8)

    for how in ("refuses", "sends a WAV file", "sends JSON", "is mute"):
        told = tell(agent("Fine.", tts=[Sick(ScriptedVoice(), how), ScriptedVoice()]), script)
        assert told.agent_said == ["Hello.", "Fine."], how
    for how in ("refuses", "crashes"):
        told = tell(
            agent(
                "unused", llm=[Sick(ScriptedModel(), how), ScriptedModel(["Fine."])], stt=[Sick(ears(), how), ears()]
            ),
            script,
        )
        assert told.agent_said == ["Hello.", "Fine."], how


def test_half_a_reply_is_history_as_far_as_it_was_heard() -> None:
    _, settings = sick("llm", "breaks")

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)

    told = tell(agent(**settings), script)
    said = [report for _, report in told.reports if isinstance(report, AgentSaid)]
    assert said[1:] == [AgentSaid("We have", complete=False), AgentSaid(APOLOGY, complete=True)]


def test_a_question_that_could_not_be_asked_is_not_the_one_that_is_answered() -> None:
    """The voice fails as the second question is asked; the caller says the first answer again, and it counts."""
    voice = Sick(ScriptedVoice(), "refuses", lambda text: text == "In which city?")

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)
        voice.well = True
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)

    told = tell(agent(greeting="", llm=BOOKING, tts=voice), script)
    assert told.agent_said[-2:] == [APOLOGY, "In which city?"]


def test_limits_are_the_agents_to_set() -> None:
    _, settings = sick("llm", "hangs")

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(1.2)

    limits = Limits(reply=seconds(1), failures=1)
    told = tell(agent(limits=limits, **settings), script)
    assert told.agent_said == ["Hello.", LAST_APOLOGY]
