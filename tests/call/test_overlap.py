"""What is heard over our voice: who is taken for the caller, when they have stopped, and who insists."""

import pytest

from offhook.audio.events import CHUNK, Evidence, SpeechStarted, SpeechStopped
from offhook.audio.speech import Hysteresis
from offhook.call.config import CallConfig
from offhook.call.listening import Listener, Turn
from offhook.call.outputs import Output
from offhook.call.overlap import Overlap
from offhook.call.requests import Requests
from offhook.timebase import RATE

Told = list[tuple[str, int]]


class Ear:
    """An overlap behind a detector, fed with words of a level."""

    def __init__(self, *, streams: bool = False) -> None:
        out: list[Output] = []
        self.listener = Listener("inbound", CallConfig(hysteresis=Hysteresis()), Requests(), out)
        self.overlap = Overlap(self.listener, streams=streams)
        self.at = 0

    def hear(
        self,
        chunks: int,
        level: float,
        *,
        over_us: bool = False,
        held: bool = False,
        brief: bool = False,
        speech: float = 0.0,
    ) -> Told:
        """So many chunks of one kind. What was told of, and the chunk in which it lies."""
        told = []
        for _ in range(chunks):
            evidence = Evidence("inbound", self.at, 0, speech, level, 0.0, 0.0)
            self.at += CHUNK
            change = self.listener.hear(evidence)
            change = self.overlap.sift(evidence, change, over_us=over_us, held=held, brief=brief)
            if isinstance(change, SpeechStarted):
                told.append(("started", change.position // CHUNK))
            elif isinstance(change, SpeechStopped):
                told.append(("stopped", change.position // CHUNK))
        return told

    def say(self, chunks: int, level: float, *, over_us: bool = False, held: bool = False) -> Told:
        """Speech."""
        return self.hear(chunks, level, over_us=over_us, held=held, speech=1.0)

    def quiet(self, chunks: int, *, over_us: bool = False, held: bool = False) -> Told:
        return self.hear(chunks, -70.0, over_us=over_us, held=held)


@pytest.fixture
def ear() -> Ear:
    """A caller who has said something as loud as -20 dBov."""
    ear = Ear()
    assert ear.say(20, -20.0) == [("started", 0)]
    assert ear.quiet(80) == [("stopped", 20)]
    return ear


def test_who_speaks_up_is_heard_at_once(ear: Ear) -> None:
    assert ear.say(2, -26.0, over_us=True) == [("started", 100)]


@pytest.mark.parametrize("below", [13.0, 16.0, 20.0])
def test_talk_behind_the_caller_is_nobody(ear: Ear, below: float) -> None:
    assert ear.say(60, -20.0 - below, over_us=True) == []
    assert ear.quiet(10, over_us=True) == []


def test_faint_speech_that_grows_louder_was_speech_from_its_beginning(ear: Ear) -> None:
    assert ear.say(8, -40.0, over_us=True) == []
    assert ear.say(2, -25.0, over_us=True) == [("started", 100)]
    assert ear.quiet(3, over_us=True) == [("stopped", 110)]


def test_long_faint_speech_belongs_to_somebody_else() -> None:
    """Our own echo, half a second of which may be taken for the beginning of what follows."""
    ear = Ear()
    assert ear.say(40, -50.0, over_us=True) == []
    told = ear.say(1, -20.0, over_us=True)
    assert told == [("started", 40 - 4_000 // CHUNK - 1)]
    assert ear.overlap.speech == 4_000


def test_faint_speech_that_outlasts_us_is_the_caller(ear: Ear) -> None:
    assert ear.say(8, -40.0, over_us=True) == []
    assert ear.say(1, -40.0) == [("started", 100)]


def test_a_faint_caller_is_heard_while_we_are_silent(ear: Ear) -> None:
    assert ear.say(2, -45.0) == [("started", 100)]


def test_a_word_that_is_known_by_its_soft_end_is_as_loud_as_its_beginning(ear: Ear) -> None:
    assert ear.hear(6, -22.0, over_us=True, speech=0.1) == []
    assert ear.say(2, -37.0, over_us=True) == [("started", 106)]


def test_a_caller_who_has_not_spoken_is_presumed_to_be_quiet() -> None:
    assert Ear().say(2, -38.0, over_us=True) == [("started", 0)]
    assert Ear().say(2, -40.0, over_us=True) == []


def test_a_shout_does_not_make_all_that_follows_faint(ear: Ear) -> None:
    ear.say(10, -10.0)
    ear.quiet(10)
    assert ear.say(2, -26.0, over_us=True) == [("started", 120)]


def test_a_door_does_not_make_the_caller_faint() -> None:
    ear = Ear()
    assert ear.say(7, -5.0) == [("started", 0)]
    ear.quiet(30)
    assert ear.say(2, -26.0, over_us=True) == [("started", 37)]


def test_while_we_hold_the_first_quiet_chunk_is_a_pause(ear: Ear) -> None:
    ear.say(5, -20.0, over_us=True)
    assert ear.quiet(1, held=True) == [("stopped", 105)]
    assert ear.quiet(10, held=True) == []


def test_and_none_if_the_caller_goes_on(ear: Ear) -> None:
    ear.say(5, -20.0, over_us=True)
    assert ear.quiet(2, held=True) == [("stopped", 105)]
    assert ear.say(3, -20.0, held=True) == [("started", 107)]
    assert ear.quiet(3, held=True) == [("stopped", 110)]


def test_the_soft_end_of_a_word_is_no_pause(ear: Ear) -> None:
    """The s of "yes" would be cut off."""
    ear.say(5, -20.0, over_us=True)
    assert ear.hear(3, -40.0, held=True) == []
    assert ear.quiet(1, held=True) == [("stopped", 105)]


def test_where_any_pause_may_be_the_last_a_syllable_must_have_been_said_since(ear: Ear) -> None:
    ear.say(4, -20.0)
    assert ear.hear(1, -70.0, brief=True) == [("stopped", 104)]
    assert ear.hear(2, -20.0, brief=True, speech=1.0) == [("started", 105)]
    assert ear.hear(1, -70.0, brief=True) == []
    assert ear.hear(1, -20.0, brief=True, speech=1.0) == []
    assert ear.hear(1, -70.0, brief=True) == [("stopped", 109)]


def test_there_a_lull_is_enough_until_speech_goes_on_for_two_chunks(ear: Ear) -> None:
    ear.say(4, -20.0)
    assert ear.hear(1, -50.0, brief=True, speech=1.0) == [("stopped", 105)]
    assert ear.hear(1, -20.0, brief=True, speech=1.0) == []
    assert ear.hear(1, -50.0, brief=True, speech=1.0) == []
    assert ear.hear(2, -20.0, brief=True, speech=1.0) == [("started", 107)]


def test_what_was_heard_behind_a_lull_that_was_none_is_told_of_at_the_end(ear: Ear) -> None:
    ear.say(4, -20.0)
    assert ear.hear(1, -50.0, brief=True, speech=1.0) == [("stopped", 105)]
    assert ear.hear(4, -50.0, brief=True, speech=1.0) == []
    assert ear.quiet(3) == [("stopped", 109)]


def test_there_a_transcript_that_streams_is_asked_for_as_soon_but_at_no_lull() -> None:
    ear = Ear(streams=True)
    ear.say(5, -20.0)
    assert ear.hear(1, -50.0, brief=True, speech=1.0) == []
    assert ear.hear(1, -70.0, brief=True) == [("stopped", 6)]
    assert ear.hear(1, -20.0, brief=True, speech=1.0) == [("started", 7)]


def test_where_we_do_not_hold_a_pause_takes_as_long_as_ever(ear: Ear) -> None:
    ear.say(5, -20.0)
    assert ear.quiet(2) == []
    assert ear.quiet(1) == [("stopped", 105)]


def test_a_transcript_that_streams_is_not_parted_by_the_first_quiet_chunk() -> None:
    ear = Ear(streams=True)
    assert ear.say(5, -20.0, over_us=True) == [("started", 0)]
    assert ear.quiet(2, held=True) == []
    assert ear.quiet(1, held=True) == [("stopped", 5)]


def seconds_of(start: float, end: float) -> Turn:
    return Turn(round(start * RATE), round(end * RATE))


def test_a_short_sound_that_nobody_understood_is_nothing() -> None:
    assert not Ear().overlap.says_enough(seconds_of(10, 10.5))


def test_a_long_one_is_something() -> None:
    assert Ear().overlap.says_enough(seconds_of(10, 10.6))


@pytest.mark.parametrize(("after", "insists"), [(0.5, True), (4.9, True), (5.2, False)])
def test_who_tries_again_soon_means_it(after: float, insists: bool) -> None:
    overlap = Ear().overlap
    assert not overlap.says_enough(seconds_of(10, 10.4))
    assert overlap.says_enough(seconds_of(10.4 + after, 10.7 + after)) is insists


def test_a_word_that_ends_in_the_noise_of_the_line_trails_off(ear: Ear) -> None:
    """The level says that it is over, and the network that it is not."""
    ear.hear(260, -44.0)
    assert ear.hear(1, -20.0, over_us=True, speech=1.0) == []
    ear.hear(8, -20.0, over_us=True, speech=1.0)
    assert ear.hear(1, -43.5, held=True, speech=0.8)[0][0] == "stopped"
    asked = ear.at
    ear.hear(2, -43.5, held=True, speech=0.8)
    assert not ear.overlap.trailed_off(asked), "it may go on"
    ear.hear(1, -43.5, held=True)
    assert ear.overlap.trailed_off(asked)
    assert ear.overlap.fell_silent(asked), "what came was but a soft end"
    ear.hear(1, -25.0, held=True, speech=0.8)
    assert not ear.overlap.fell_silent(asked)


def test_silence_that_the_network_takes_for_speech_is_no_end_of_a_word(ear: Ear) -> None:
    ear.hear(9, -20.0, over_us=True, speech=1.0)
    ear.hear(1, -70.0, held=True, speech=0.8)
    asked = ear.at
    ear.hear(2, -70.0, held=True, speech=0.8)
    ear.hear(1, -70.0, held=True)
    assert not ear.overlap.trailed_off(asked)
