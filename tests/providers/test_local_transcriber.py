"""The local transcriber on recordings of people: it understands answers, and takes hardly anything else for one."""

import asyncio
import importlib.util
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import BOOKING, SAID
from offhook.conversation.answers import YesNo
from offhook.conversation.commands import COMMAND_GRAMMAR
from offhook.conversation.expectation import Expectation
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.transcribers.acceptance import Segment, belief, verdict
from offhook.providers.transcribers.local import LocalTranscriber
from offhook.providers.transcribers.sphinx import PHONES
from offhook.providers.transcribers.sphinx_grammar import GrammarError, missing, pronounce, readable, words
from offhook.providers.transcribers.wideband import loudest, widen
from offhook.simulator.sounds import from_file
from recordings import AUDIO, needs_recordings

needs_pocketsphinx = pytest.mark.skipif(importlib.util.find_spec("pocketsphinx") is None, reason="no pocketsphinx")

SPOKEN = [
    "utt/google_book_a_room",
    "utt/google_mountain_view",
    "utt/google_today",
    "utt/google_230pm",
    "utt/google_half_an_hour",
    "utt/google_two_people",
]
"""A person's answers to the questions of the booking, in order."""

BESIDE_THE_POINT = [
    "utt/azure_weather",
    "utt/google_brooklyn",
    "utt/sb_spk1_snt5",
    "machine/ast_all-circuits-busy-now",
    "machine/ast_vm-isunavail",
    "machine/ast_thanks-for-calling-today",
    "answer/ast_thank-you-cooperation",
    "answer/mc_aardvark",
    "answer/mc_emergency",
    "answer/mc_you_better_talk",
    "answer/sc_left_4c4d2526",
    "machine/ast_vm-theperson",
    "interruption/ast_wait-moment",
    "interruption/sc_stop_5eb5fc74",
    "backchannel/sc_wow_a4383927",
]

_Case = tuple[str, Expectation]


def asked(question: int) -> Expectation:
    own = BOOKING.questions[question].answer.expectation()
    return Expectation(own.answers, f"{own.grammar} | {COMMAND_GRAMMAR}")


def listen(cases: Sequence[_Case]) -> list[Transcript]:
    assert AUDIO is not None

    ear = LocalTranscriber(2)

    async def every_other(first: int) -> list[Transcript]:
        utterances = [Utterance(from_file(AUDIO / f"{name}.wav").mulaw, asked) for name, asked in cases[first::2]]
        return [transcript for each in utterances async for transcript in ear.transcribe(each)]

    async def all_of_them() -> list[Transcript]:
        try:
            even, odd = await asyncio.gather(every_other(0), every_other(1))
        finally:
            await ear.aclose()
        heard = even + odd
        heard[0::2], heard[1::2] = even, odd
        return heard

    return asyncio.run(all_of_them())


@needs_pocketsphinx
@needs_recordings
@pytest.mark.recordings
def test_a_person_who_answers_is_understood_word_for_word() -> None:
    heard = listen([(name, asked(number)) for number, name in enumerate(SPOKEN)])
    assert [transcript.text for transcript in heard] == list(SAID[: len(SPOKEN)])


@needs_pocketsphinx
@needs_recordings
@pytest.mark.recordings
def test_of_twenty_that_are_no_answer_at_most_one_is_taken_for_one() -> None:
    questions = range(len(SPOKEN))
    cases = [(name, asked(n)) for n in questions for other, name in enumerate(SPOKEN) if (n - other) % 2]
    cases += [(name, asked(n % len(SPOKEN))) for n, name in enumerate(BESIDE_THE_POINT)]
    taken = [(*case, heard.text) for case, heard in zip(cases, listen(cases), strict=True) if heard.text]
    assert 20 * len(taken) <= len(cases), taken


@needs_pocketsphinx
@needs_recordings
@pytest.mark.recordings
def test_yes_is_heard_as_yes_and_no_as_no_from_most_people() -> None:
    assert AUDIO is not None
    names = [f"answer/{path.stem}" for word in ("yes", "no") for path in sorted(AUDIO.glob(f"answer/sc_{word}_*"))[:7]]
    expected = YesNo().expectation()
    heard = listen([(name, expected) for name in names])
    right = [YesNo().parse(there.text) == name.split("_")[1] for name, there in zip(names, heard, strict=True)]
    assert sum(right) >= 0.7 * len(right)


def spell(*segments: tuple[str, int, float, int]) -> list[Segment]:
    at, spelled = 0, []
    for word, frames, score, phones in segments:
        spelled.append(Segment(word, at, at + frames, score, phones))
        at += frames
    return spelled


def test_silence_is_no_speech_and_speech_without_words_is_not_understood() -> None:
    silent = spell(("<sil>", 80, -30.0, 0))
    sounds = spell(("<sil>", 20, -5.0, 0), ("any_ah", 20, -40.0, 1), ("any_m", 20, -40.0, 1))
    assert verdict(silent, silent) == ("", True)
    assert verdict(silent, sounds) == ("", False)


@given(st.floats(-400, 0), st.floats(0, 200), st.integers(1, 12))
def test_the_worse_the_words_fit_the_less_they_are_believed(score: float, worse: float, phones: int) -> None:
    loop = spell(*[("any_ah", 10, -20.0, 1)] * phones)
    good = belief(spell(("yes", 10 * phones, score, phones)), loop)
    assert belief(spell(("yes", 10 * phones, score - worse, phones)), loop) <= good


def test_a_grammar_is_words_and_a_few_signs() -> None:
    assert readable("[At] (two | THREE) o'clock+") == "[at] (two | three) o'clock+"
    assert words("[at] (two | three) o'clock") == {"at", "two", "three", "o'clock"}
    for bad in ("<rule>", "a; b", "a = b", "{tag}", "/2/ a", "3", "", "( | )", "naïve"):
        with pytest.raises(GrammarError):
            readable(bad)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=30))
def test_every_word_has_sounds(word: str) -> None:
    sounds = pronounce(word).split()
    assert sounds
    assert set(sounds) <= set(PHONES)
    assert missing(word, lambda known: None) == {word: pronounce(word)}
    assert missing(word, lambda known: known) == {}


def test_a_guess_at_a_name_is_near() -> None:
    assert pronounce("smith") == "S M IH TH"
    assert pronounce("blake") == "B L AE K"
    assert pronounce("hobbs") == "HH AA B S"


@given(st.binary(max_size=2000))
def test_any_bytes_become_twice_as_many_samples(audio: bytes) -> None:
    assert len(widen(audio)) == 4 * len(audio)
    assert -96 <= loudest(audio) <= 0


@needs_pocketsphinx
def test_the_local_transcriber_refuses_where_nothing_is_expected_or_a_grammar_makes_no_sense() -> None:
    yes_or_no = Expectation(grammar="yes | no")

    async def heard(ear: LocalTranscriber, expectation: Expectation) -> list[Transcript]:
        return [each async for each in ear.transcribe(Utterance(b"\x20" * 8000, expectation))]

    async def told() -> None:
        ear = LocalTranscriber(1)
        for grammar in ("", "  ", "yes <rule>", "(yes", "| yes", "{}", "()"):
            with pytest.raises(ProviderError, match="local transcriber") as caught:
                await heard(ear, Expectation(grammar=grammar))
            assert caught.value.kind is Failure.REFUSED
        assert (await heard(ear, yes_or_no))[-1].final
        await ear.aclose()

    asyncio.run(told())
