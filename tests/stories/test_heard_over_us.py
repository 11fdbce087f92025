"""Stories of what is heard over the agent and is no interruption, or is one although it sounds like none."""

import numpy as np
import pytest
from kit import agent, call, ears, orders, recognise, speech, tell, turn
from streams import ScriptedListener

from offhook.audio import mulaw
from offhook.call.inputs import SayOrdered
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.scripted import ScriptedTranscriber
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal
from offhook.simulator.sounds import Sound, sound
from offhook.timebase import SAMPLE_US, ms, samples

REPLY = "We have a large room with a window and a small room without one on the second floor."


def softly(words: str, db: float) -> Sound:
    """Somebody says `words`, so many dB below the caller."""
    pcm = mulaw.decode(speech(words).mulaw) * 10 ** (-db / 20)
    return sound(mulaw.encode(pcm.astype("int16")), words)


async def asks(caller: SimulatedCaller) -> None:
    """The caller asks, and a reply begins."""
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room"))
    await caller.agent_speaks()


@pytest.mark.parametrize("db", [16, 20])
def test_somebody_behind_the_caller_does_not_even_make_us_hold(db: float) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(softly("what about tomorrow", db))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY), script)
    assert call(told).cleared == ()
    assert told.agent_said == ["Hello.", REPLY]
    assert told.user_said == ["book a room"]


def test_somebody_behind_the_caller_is_not_answered_after_what_nobody_may_interrupt() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(softly("what about tomorrow", 16))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, interruptible=False), script)
    assert told.user_said == ["book a room"]


def test_a_caller_who_speaks_softly_is_heard_where_we_are_silent() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.listen_until_quiet(1)
        await caller.say(softly("what about tomorrow", 16))
        await caller.listen_until_quiet(2)

    told = tell(agent("Yes.", "Fine."), script)
    assert told.user_said == ["book a room", "what about tomorrow"]


def test_no_word_is_lost_of_who_begins_softly_over_us_and_goes_on_when_we_are_silent() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.3)
        await caller.say(softly("what about tomorrow then", 16))
        await caller.listen_until_quiet(2)

    told = tell(agent("As you like.", "Fine."), script)
    assert told.user_said == ["book a room", "what about tomorrow then"]
    assert told.agent_said == ["Hello.", "As you like.", "Fine."]
    assert call(told).cleared == ()


def test_who_raises_the_voice_interrupts_and_all_of_it_counts() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        soft, loud = softly("what about", 16), speech("tomorrow then")
        await caller.say(sound(soft.mulaw + loud.mulaw, "what about tomorrow then"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Fine."), script)
    assert told.user_said[-1] == "what about tomorrow then"
    assert told.agent_said[-1] == "Fine."


def test_a_nod_costs_little_more_than_its_transcript_takes() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("okay"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, stt=ears(0.3)), script)
    (stopped,) = call(told).cleared
    later = [at for at, _ in call(told).ear.pieces() if at * 125 > stopped.at]
    assert told.agent_said == ["Hello.", REPLY]
    assert later[0] * 125 - stopped.at <= ms(260 - 64 + 2 * 32 + 300 + 20)


def test_a_nod_that_is_known_before_its_transcript_is_final_costs_less() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("okay"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, stt=ScriptedListener(lag=0.2, delay=1.2)), script)
    (stopped,) = call(told).cleared
    later = [at for at, _ in call(told).ear.pieces() if at * 125 > stopped.at]
    assert told.agent_said == ["Hello.", REPLY]
    assert later[0] * 125 - stopped.at <= ms(600)


def test_a_word_with_a_gap_in_it_is_transcribed_whole() -> None:
    """ "Stop" closes the mouth for 60 ms: taken for a pause while we hold, and asked for again."""

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        one, other = speech("stop"), speech("please")
        await caller.say(sound(one.mulaw + mulaw.SILENCE * samples(ms(50)) + other.mulaw, "stop please"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Fine."), script)
    assert told.user_said == ["book a room", "stop please"]
    assert told.agent_said[-1] == "Fine."


def mumbled(utterance: Utterance) -> Transcript:
    """Nobody understands what is said after the first sentence."""
    words = recognise(utterance)
    return words if words.text == "book a room" else Transcript("", understood=False)


@pytest.mark.parametrize(("then", "interrupted"), [(1.5, True), (None, False)])
def test_who_is_not_understood_and_tries_again_interrupts(then: float | None, interrupted: bool) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.6)
        await caller.say(speech("stop"))
        if then is not None:
            await caller.pause(then)
            await caller.say(speech("stop"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Pardon?", stt=ScriptedTranscriber(by_audio=mumbled, delay=0.2)), script)
    assert (REPLY not in told.agent_said) is interrupted


@pytest.mark.parametrize(
    ("question", "answers"), [("Two people tomorrow, right?", True), ("Two people tomorrow.", False)]
)
def test_yes_over_the_end_of_a_question_answers_it(question: str, answers: bool) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.75)
        await caller.say(speech("okay"))
        await caller.listen_until_quiet(2)

    told = tell(agent(question, "Fine."), script)
    assert (told.user_said == ["book a room", "okay"]) is answers
    assert (told.agent_said[-1] == "Fine.") is answers


def test_who_answers_over_the_last_words_of_a_question_waits_no_longer_than_who_hears_it_out() -> None:
    def delay(after: float) -> int:
        async def script(caller: SimulatedCaller) -> None:
            await asks(caller)
            await caller.pause(after)
            await caller.say(speech("two people"))
            await caller.listen_until_quiet(2)

        told = tell(agent("Shall we say today or tomorrow?", "Fine."), script)
        assert told.user_said == ["book a room", "two people"]
        found = turn(told, "two people").response_delay
        assert found is not None
        return found

    assert delay(1.5) <= delay(2.3) + ms(20)


def test_a_nod_in_the_middle_of_a_question_is_a_nod() -> None:
    question = "May I have your name and number so that we can call you back tomorrow?"

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.75)
        await caller.say(speech("okay"))
        await caller.listen_until_quiet(2)

    told = tell(agent(question, "Fine."), script)
    assert told.agent_said == ["Hello.", question]


def test_we_do_not_speak_up_while_the_caller_dictates() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        for digits in ("one two three", "four five one", "two three four"):
            await caller.say(speech(digits))
            await caller.pause(0.4)
        await caller.listen_until_quiet(2)

    told = tell(agent("Fine."), script, on_driver=orders((2.5, SayOrdered("Your order has come."))))
    assert told.user_said == ["one two three four five one two three four"]
    assert told.agent_said == ["Hello.", "Fine.", "Your order has come."]


def test_a_long_laugh_makes_us_pause_once_and_shortly() -> None:
    """It lasts longer than what is believed without a word, and has no pause in it."""

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("cough cough cough cough cough cough"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY), script)
    assert len(call(told).cleared) == 1
    assert told.agent_said == ["Hello.", REPLY]
    assert told.user_said == ["book a room"]
    cleared, ear = call(told).cleared[0].at // SAMPLE_US, call(told).ear
    again = ear.first_audible(cleared + samples(ms(20)))
    assert again is not None
    assert again - cleared < samples(ms(800))


def laugh(*bursts: float, apart: float) -> Sound:
    """Hums of so many seconds each, `apart` from each other: too short to be words, or words that mean nothing."""
    wave = mulaw.decode(speech("cough").mulaw[:2_080])
    gap = mulaw.SILENCE * round(apart * 8_000)
    return sound(gap.join(mulaw.encode(np.resize(wave, round(length * 8_000))) for length in bursts), "laugh")


def pause_of_ours(told: Rehearsal) -> int:
    """Microseconds for which the first hold lasted."""
    cleared, ear = call(told).cleared[0].at // SAMPLE_US, call(told).ear
    again = ear.first_audible(cleared + samples(ms(20)))
    assert again is not None
    return (again - cleared) * SAMPLE_US


def test_who_has_just_laughed_and_does_so_again_makes_us_pause_once() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(laugh(0.26, 0.26, 0.26, apart=0.55))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY), script)
    assert len(call(told).cleared) == 1
    assert told.agent_said == ["Hello.", REPLY]
    assert told.user_said == ["book a room"]


def test_who_coughs_and_then_says_something_interrupts() -> None:
    """A little later than without the cough, but within a second and a half."""

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("cough"))
        await caller.pause(0.6)
        await caller.say(speech("stop please"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Fine."), script)
    assert told.user_said[-1] == "stop please"
    assert told.agent_said[-1] == "Fine."
    assert REPLY not in told.agent_said
    stop = turn(told, "stop please").stop_time
    assert stop is not None
    assert stop < ms(1_500)


def test_who_coughs_and_then_speaks_at_length_makes_us_hold_before_it_is_over() -> None:
    words = "what about two people then please tomorrow and today"

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("cough"))
        await caller.pause(0.6)
        await caller.say(speech(words))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Fine."), script)
    stop = turn(told, words).stop_time
    assert stop is not None
    assert stop < ms(850)
    assert told.agent_said[-1] == "Fine."


def test_an_answer_to_the_cough_says_nothing_of_the_sentence_behind_it() -> None:
    words = "what about two people then please tomorrow and today"

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("cough"))
        await caller.pause(0.25)
        await caller.say(speech(words))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Fine.", stt=ears(0.8)), script)
    assert len(call(told).cleared) == 1
    assert told.agent_said[-1] == "Fine."


def test_a_laugh_that_flickers_is_looked_at_after_half_a_second_too() -> None:
    """Half of it is so soft that it is not taken for speech, but for no pause either."""
    loud, soft = (mulaw.decode(it.mulaw[:512]) for it in (softly("cough", 9), softly("cough", 30)))
    flicker = mulaw.encode(np.concatenate([loud, soft] * 9))

    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(sound(flicker, "laugh"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, stt=ears(0.3)), script)
    assert told.agent_said == ["Hello.", REPLY]
    assert pause_of_ours(told) < ms(900)


def test_a_laugh_is_told_from_words_by_ears_that_take_a_second_too() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("cough cough cough cough cough cough"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, stt=ears(0.8)), script)
    assert told.agent_said == ["Hello.", REPLY]


def test_who_laughs_and_goes_on_in_words_interrupts_after_all() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("cough cough cough what about tomorrow then"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Fine."), script)
    assert told.user_said[-1] == "what about tomorrow then"
    assert told.agent_said[-1] == "Fine."
    assert REPLY not in told.agent_said


def test_real_words_without_a_pause_interrupt_as_soon_as_they_are_known() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await asks(caller)
        await caller.pause(0.8)
        await caller.say(speech("no what about tomorrow then please"))
        await caller.listen_until_quiet(2)

    told = tell(agent(REPLY, "Fine."), script)
    assert told.user_said[-1] == "no what about tomorrow then please"
    assert len(call(told).cleared) == 1
