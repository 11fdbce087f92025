"""Stories of an end-of-turn model: it makes a wait shorter where the words agree, and is never the sole end."""

import asyncio
from typing import Any

import pytest
from kit import agent, call, ears, recognise, speech, tell, turn
from streams import ScriptedListener

from offhook.conversation.answers import Digits
from offhook.conversation.expectation import Expectation
from offhook.conversation.flow import Flow
from offhook.conversation.questions import Question
from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.interfaces import EndOfTurnModel, Utterance
from offhook.providers.scripted import ScriptedModel, ScriptedVoice
from offhook.runtime.services import Services
from offhook.simulator import world
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import ms

CLOSED, UNSURE, OPEN = "book a room please", "a room please", "book a room and"


class Judge:
    """Says the n-th likelihood, or raises it, after `delay` seconds; the last again and again. `stubborn`: it cannot
    be stopped."""

    def __init__(self, *likelihoods: Any, delay: float = 0.1, stubborn: bool = False) -> None:
        self.likelihoods = likelihoods
        self.delay = delay
        self.stubborn = stubborn
        self.asked: list[bytes] = []
        self.cancelled = self.closed = 0

    async def judge(self, mulaw: bytes) -> float:
        self.asked.append(mulaw)
        answer = self.likelihoods[min(len(self.asked), len(self.likelihoods)) - 1]
        end = asyncio.get_running_loop().time() + self.delay
        while (left := end - asyncio.get_running_loop().time()) > 0:
            try:
                await asyncio.sleep(left)
            except asyncio.CancelledError:
                self.cancelled += 1
                if not self.stubborn:
                    raise
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    async def ready(self) -> None: ...

    async def aclose(self) -> None:
        self.closed += 1


def told(judge: Judge | None, *words: str, gap: float = 0.3, **settings: Any) -> Rehearsal:
    """Somebody says this, piece by piece, to an agent who needs 150 ms for an answer."""

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for number, piece in enumerate(words):
            if number:
                await caller.pause(gap)
            await caller.say(speech(piece))
        await caller.listen_until_quiet(0.8, timeout=10)

    quick = {"stt": ears(0.05), "llm": ScriptedModel(["Fine."], first_token=0.05), "tts": ScriptedVoice(delay=0.05)}
    return tell(agent(**{**quick, "end_of_turn": judge, **settings}), script)


def delay(told: Rehearsal, words: str) -> int:
    found = turn(told, words).response_delay
    assert found is not None
    return found


def test_a_sentence_that_sounds_like_the_end_is_answered_sooner() -> None:
    judge = Judge(0.95)
    with_it, without = told(judge, CLOSED), told(None, CLOSED)
    assert delay(with_it, CLOSED) < delay(without, CLOSED) - ms(400)
    assert delay(with_it, CLOSED) >= ms(384), "the timer is never given up"
    (heard,) = judge.asked
    assert recognise(Utterance(heard, Expectation())).text == CLOSED


@pytest.mark.parametrize("words", [UNSURE, OPEN])
def test_what_is_no_sentence_is_waited_for_as_ever(words: str) -> None:
    assert delay(told(Judge(0.99), words), words) == delay(told(None, words), words)


@pytest.mark.parametrize("likelihood", [0.0, 0.5, 0.9, float("nan")])
def test_doubt_makes_no_wait_longer(likelihood: float) -> None:
    assert delay(told(Judge(likelihood), CLOSED), CLOSED) == delay(told(None, CLOSED), CLOSED)


def test_while_no_word_is_known_sound_alone_ends_nothing() -> None:
    """The transcript takes longer than the wait that a judgement would have made."""
    slow = told(Judge(0.99), CLOSED, stt=ears(1.2))
    assert delay(slow, CLOSED) > ms(1_200)
    assert told(Judge(0.99), CLOSED, stt=ears(60.0)).delays == told(None, CLOSED, stt=ears(60.0)).delays


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_late_judgement_of_a_turn_that_went_on_is_dropped(stubborn: bool) -> None:
    judge = Judge(0.99, 0.1, delay=0.4, stubborn=stubborn)
    with_it, without = told(judge, CLOSED, CLOSED), told(None, CLOSED, CLOSED)
    assert len(judge.asked) == 2
    assert judge.cancelled == 1
    assert with_it.user_said == without.user_said == [f"{CLOSED} {CLOSED}"]
    late, usual = call(with_it).turns, call(without).turns
    assert [each.response_delay for each in late] == [each.response_delay for each in usual]


def test_a_judgement_is_one_of_its_pause_alone() -> None:
    """Said of the first pause, it does not shorten the second."""
    judge = Judge(0.99, 0.1, delay=0.05)
    with_it, without = told(judge, OPEN, CLOSED, gap=0.8), told(None, OPEN, CLOSED, gap=0.8)
    assert len(judge.asked) == 2
    assert delay(with_it, CLOSED) == delay(without, CLOSED)


@pytest.mark.parametrize(
    "judge",
    [
        Judge(0.99, delay=3_600),
        Judge(ProviderError(Failure.BROKEN, "it died")),
        Judge(ZeroDivisionError("a fault in a plugin")),
        Judge("garbage"),
    ],
    ids=["hangs", "fails", "faulty", "garbage"],
)
def test_a_judge_that_hangs_or_breaks_changes_nothing(judge: Judge) -> None:
    said = [CLOSED, "what about tomorrow"]
    with_it, without = told(judge, *said, gap=3.0), told(None, *said, gap=3.0)
    assert len(judge.asked) == 2
    assert [delay(with_it, each) for each in said] == [delay(without, each) for each in said]
    assert with_it.agent_said == without.agent_said
    assert len(with_it.warnings) == 1, "once a call"


def test_a_judgement_that_comes_too_late_to_help_is_not_waited_for() -> None:
    slow = told(Judge(0.99, delay=3_600), OPEN)
    assert delay(slow, OPEN) == delay(told(None, OPEN), OPEN)
    assert slow.warnings == ["end-of-turn judgement failed: no answer in time for end-of-turn judgement"]


def test_of_digits_their_number_tells() -> None:
    judge = Judge(0.99)
    flow = Flow(greeting="", questions=(Question("n", "Your number?", Digits(4)),), confirm="", done="Bye.")
    assert told(judge, "one two", "three four", llm=flow, greeting="", gap=0.9).user_said == ["one two three four"]
    assert judge.asked == []


@pytest.mark.parametrize("stt", [ears(0.2), ScriptedListener(delay=0.2)], ids=["uploads", "streams"])
def test_a_number_is_asked_for_in_the_first_silence_behind_its_last_digit(stt: Any) -> None:
    """It is answered 0.2 s later, and 50 ms for the voice; what ends speech elsewhere takes three chunks of silence."""
    flow = Flow(greeting="", questions=(Question("n", "Your number?", Digits(4)),), confirm="", done="Bye.")
    number = told(None, "one two three four", llm=flow, greeting="", stt=stt)
    assert number.user_said == ["one two three four"]
    assert ms(250) < delay(number, "one two three four") <= ms(250 + 2 * 32 + 20)


def test_where_no_words_are_asked_for_ahead_nobody_is_asked() -> None:
    judge = Judge(0.99)
    assert told(judge, CLOSED, speculate=False).user_said == [CLOSED]
    assert judge.asked == []


def test_over_our_voice_nobody_is_asked() -> None:
    judge = Judge(0.99)

    async def script(caller: SimulatedCaller) -> None:
        await caller.agent_speaks()
        await caller.say(speech("okay"))
        await caller.listen_until_quiet(0.8)

    tell(agent(greeting="Hello to you, whoever you are, on this fine day.", end_of_turn=judge), script)
    assert judge.asked == []


def test_it_is_made_ready_and_let_go_of_like_all_providers() -> None:
    class Broken(Judge):
        async def ready(self) -> None:
            raise ConfigurationError("no weights")

    assert isinstance(Judge(), EndOfTurnModel)
    judge = Judge()
    services = Services.of(agent(end_of_turn=judge))
    world.run(services.ready(), limit=10)
    world.run(services.aclose(), limit=10)
    assert judge.closed == 1
    with pytest.raises(ConfigurationError, match="no weights"):
        world.run(Services.of(agent(end_of_turn=Broken())).ready(), limit=10)
