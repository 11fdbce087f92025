"""The measure can fail: in calls that go well, each planted defect turns its row red."""

from collections.abc import AsyncIterator, Callable

import pytest
from msgspec.structs import replace

from offhook.agent import Agent
from offhook.audio.playout import Ledger
from offhook.call.config import CallConfig
from offhook.carrier.commands import ClearAudio, Command, PlayAudio
from offhook.carrier.twilio.stream import TwilioStream
from offhook.providers.interfaces import Transcriber, Transcript, Utterance
from offhook.simulator.score import bench
from offhook.simulator.score.corpus import Corpus
from offhook.simulator.score.ears import Class
from offhook.simulator.score.goals import ROWS, Judged, judge
from offhook.simulator.score.recipes import Recipe
from offhook.simulator.score.stage import Tune, changed
from offhook.timebase import Instant, ms, samples
from recordings import AUDIO, needs_recordings

pytestmark = [needs_recordings, pytest.mark.recordings]

Plant = Callable[[pytest.MonkeyPatch], Tune]


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    assert AUDIO is not None
    return Corpus(AUDIO)


# Defects


class _Ears:
    """Ears through which utterances come changed."""

    def __init__(self, ears: Transcriber) -> None:
        self._ears = ears
        self.ready, self.aclose = ears.ready, ears.aclose

    async def transcribe(self, utterance: Utterance) -> AsyncIterator[Transcript]:
        texts = []
        for part in self.parts(utterance.mulaw):
            async for result in self._ears.transcribe(replace(utterance, mulaw=part)):
                texts.append(result.text)
        yield Transcript(" ".join(text for text in texts if text))

    def parts(self, audio: bytes) -> list[bytes]:
        raise NotImplementedError


class _Slices(_Ears):
    def parts(self, audio: bytes) -> list[bytes]:
        return [audio[start : start + 8_000] for start in range(0, len(audio), 8_000)]


class _LateEars(_Ears):
    """Hears from 80 ms behind the first sign of speech on, as one does without a pre-roll."""

    def parts(self, audio: bytes) -> list[bytes]:
        return [audio[samples(CallConfig().pre_roll) + 640 :]]


def one_second_slices(_: pytest.MonkeyPatch) -> Tune:
    return lambda agent: changed(agent, stt=_Slices(agent.stt))


def no_pre_roll(_: pytest.MonkeyPatch) -> Tune:
    return lambda agent: changed(agent, stt=_LateEars(agent.stt))


def no_clear(patch: pytest.MonkeyPatch) -> Tune:
    """`clear` never reaches the carrier: an empty message takes its place."""
    encode = TwilioStream.encode
    empty = PlayAudio(b"\xff")

    def without(stream: TwilioStream, command: Command) -> str:
        return encode(stream, empty if isinstance(command, ClearAudio) else command)

    patch.setattr(TwilioStream, "encode", without)
    return bench.as_it_is


def doubled_frame(patch: pytest.MonkeyPatch) -> Tune:
    encode = TwilioStream.encode

    def doubling(stream: TwilioStream, command: Command) -> str:
        if isinstance(command, PlayAudio):
            command = PlayAudio(command.mulaw[:160] + command.mulaw)
        return encode(stream, command)

    patch.setattr(TwilioStream, "encode", doubling)
    return bench.as_it_is


def cleared_counts_as_heard(patch: pytest.MonkeyPatch) -> Tune:
    """Marks that come back because of `clear` are taken for what was heard: all that was sent."""
    clear = Ledger.clear

    def believing(ledger: Ledger, now: Instant) -> int:
        clear(ledger, now)
        return ledger.sent

    patch.setattr(Ledger, "clear", believing)
    return bench.as_it_is


def timer_of_200_ms(_: pytest.MonkeyPatch) -> Tune:
    waits = dict.fromkeys(("pause", "complete", "unfinished"), ms(200))

    def tune(agent: Agent) -> Agent:
        return changed(agent, patience=replace(agent.patience, **waits))

    return tune


# Defect, what is called about, and the row that has to tell
PLANTED: list[tuple[Plant, str, int, str]] = [
    (one_second_slices, "digits known", 3, "caller's words cut, in 10,000"),
    (no_pre_roll, "digits known", 3, "caller's words cut, in 10,000"),
    (no_clear, "interruption", 6, "yields to interruptions, upload"),
    (doubled_frame, "echo", 2, "frames lost, doubled or late, all replies"),
    (cleared_counts_as_heard, "interruption", 6, "words heard: at most one off"),
    (timer_of_200_ms, "digits known", 3, "digits known: cut in"),
]


@pytest.mark.parametrize(("plant", "family", "calls", "row"), PLANTED, ids=lambda it: getattr(it, "__name__", None))
def test_a_planted_defect_turns_its_row_red(
    plant: Plant, family: str, calls: int, row: str, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipes = [Recipe(family, item) for item in range(calls)]
    well = [recipe for recipe in recipes if _judged(corpus, [recipe], row, bench.as_it_is).met]
    assert len(well) > calls // 2
    assert _judged(corpus, well, row, bench.as_it_is).met is True
    assert _judged(corpus, well, row, plant(monkeypatch)).met is False


def test_the_same_seed_tells_the_same_story(corpus: Corpus) -> None:
    recipes = [Recipe(family, 1, "5 dB", Class.STREAM) for family in ("pauses", "backchannel")]
    one, other = ([bench.measured(stage) for stage in bench.play(recipes, corpus)] for _ in range(2))
    assert one == other


def _judged(corpus: Corpus, recipes: list[Recipe], name: str, tune: Tune) -> Judged:
    (row,) = (row for row in ROWS if row.name == name)
    stages = bench.play(recipes, corpus, tune)
    return judge(row, [sample for stage in stages for sample in bench.measured(stage)])
