"""People book a room: recordings of human callers, heard by the real voice detector and the real local recogniser."""

import csv

import pytest

from booking import BOOKED
from offhook import Agent, Flow
from offhook.audio.events import CHUNK
from offhook.cli.booking import BOOKING
from offhook.cli.guest import CONFIRM, Guest, recorded
from offhook.conversation.questions import Question
from offhook.providers.interfaces import Transcript, Utterance
from offhook.providers.scripted import ScriptedTranscriber, ScriptedVoice
from offhook.providers.transcribers import local
from offhook.simulator import sounds
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import rehearse
from recordings import AUDIO, needs_recordings

pytestmark = pytest.mark.long

pytest.importorskip("pocketsphinx", reason="the local recogniser is an extra: pip install 'offhook[demo]'")

AT_MOST_ONE_IN = 20


@pytest.fixture(scope="module")
def ears() -> ScriptedTranscriber:
    """The local recogniser, in this process, so that it takes no virtual time of its own beyond 200 ms."""
    from offhook.providers.transcribers.sphinx import Recogniser

    recogniser = Recogniser()

    def recognise(utterance: Utterance) -> Transcript:
        size = len(utterance.mulaw)
        if not local.SHORTEST <= size <= local.LONGEST:
            return Transcript("", understood=size < local.SHORTEST)
        text, understood = recogniser.recognise(utterance.expectation.grammar, utterance.mulaw)
        return Transcript(text, understood=understood)

    return ScriptedTranscriber(by_audio=recognise, delay=0.2)


@needs_recordings
def test_a_human_caller_books_the_room(ears: ScriptedTranscriber) -> None:
    assert AUDIO is not None
    yes = sounds.from_file(AUDIO / "answer" / "sc_yes_6736bc64.wav", label="yes")
    guest = Guest(recorded(AUDIO / "utt") | {CONFIRM: yes})
    agent = Agent(llm=BOOKING, stt=ears, tts=ScriptedVoice())
    result = rehearse(agent, guest.call, on_report=guest.overhear)
    assert result.caller is not None
    assert result.caller.problems == ()
    assert result.flow is not None
    assert (result.flow.outcome, result.flow.answers) == ("done", BOOKED)
    assert result.user_said == [
        "book a room",
        "mountain view",
        "today",
        "two thirty p m",
        "half an hour",
        "two people",
        "yes",
    ]


def no_answers() -> list[str]:
    """Recordings of people who say something that answers no question of the booking."""
    assert AUDIO is not None
    with (AUDIO / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        said = {row["file"]: row["transcript"] for row in csv.DictReader(lines, delimiter="\t")}
    numbers = ("ps_cards", "tidigits", "one_two_three", "google_")
    sentences = (name for name in said if name.startswith("utt/") and said[name])
    others = (name for name in said if name.startswith("answer/mc_"))
    return [*(name for name in sentences if not any(part in name for part in numbers)), *others]


@needs_recordings
def test_what_is_no_answer_is_not_taken_for_one(ears: ScriptedTranscriber) -> None:
    assert AUDIO is not None
    taken = []
    names = no_answers()
    for number, name in enumerate(names):
        question = BOOKING.questions[number % len(BOOKING.questions)]
        answer = taken_for(ears, question, name)
        if answer:
            taken.append((name, question.id, answer))
    assert len(names) >= AT_MOST_ONE_IN
    assert len(taken) <= len(names) // AT_MOST_ONE_IN, taken


def taken_for(ears: ScriptedTranscriber, question: Question, name: str) -> str:
    """What a recording is taken for when it is said after a question; "" for no answer."""
    assert AUDIO is not None
    sound = sounds.from_file(AUDIO / name)

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.6)
        await caller.say(sound)
        await caller.agent_speaks(6)
        await caller.pause(2 * CHUNK / 8_000)

    flow = Flow(greeting="", questions=(question,), confirm="", done="Goodbye.")
    result = rehearse(Agent(llm=flow, stt=ears, tts=ScriptedVoice()), script)
    heard = [text for text in result.user_said if text != "[not understood]"]
    return heard[0] if heard else ""
