"""One caller of a load test, moved by hand."""

import pytest

from offhook.audio import mulaw
from offhook.carrier.twilio import messages
from offhook.simulator.load.caller import FRAME, LoadCaller, Sounds
from offhook.simulator.load.profile import GRID, Profile, Tally, percentile
from offhook.simulator.phone import Identity
from offhook.timebase import Instant, ms, seconds

IDS = Identity("AC1", "CA1", "MZ1")
VOICE = b"\x20" * (FRAME * 10)
PROFILE = Profile(VOICE, mulaw.SILENCE * FRAME, cycle=seconds(1.6), barge_in_every=2, barge_in_after=ms(160))
PREFIX = messages.media_prefix("MZ1")


class Stage:
    """A caller, the time, and what was sent."""

    def __init__(self, profile: Profile = PROFILE, first: int = 0) -> None:
        self.now = 0
        self.sent: list[messages.Message] = []
        self.tally = Tally()
        self.caller = LoadCaller(profile, Sounds(profile), IDS, self.tally, self._take, first)

    def _take(self, text: bytes) -> None:
        self.sent.append(messages.decode_message(text.decode()))

    def run(self, frames: int) -> "Stage":
        for _ in range(frames):
            self.now += 20_000
            self.caller.tick(Instant(self.now))
        return self

    def hear(self, text: str, later: int = 0) -> None:
        self.caller.on_text(Instant(self.now + later), text.encode())

    def play(self, frames: int, later: int = 0) -> None:
        self.hear(messages.play(PREFIX, VOICE[:FRAME] * frames), later)

    @property
    def sound(self) -> bytes:
        return b"".join(each.media.payload for each in self.sent if isinstance(each, messages.Media))


def test_speech_lies_on_the_grid_and_comes_round_with_the_cycle() -> None:
    sound = Stage(first=GRID + 1).run(200).sound
    assert len(sound) == 200 * FRAME
    starts = [at for at in range(FRAME, len(sound), FRAME) if sound[at] == 0x20 and sound[at - FRAME] != 0x20]
    assert starts == [2 * GRID, 2 * GRID + 12_800, 2 * GRID + 25_600]
    assert sound.count(VOICE) == 3


def test_the_delay_runs_from_the_last_sample_to_the_first_sound_of_the_reply() -> None:
    stage = Stage().run(10)
    stage.play(5, later=30_000)
    stage.play(5, later=31_000)
    assert stage.tally.delays == [30_000]
    assert (stage.tally.underruns, stage.tally.early) == (0, 0)


def test_a_reply_that_runs_dry_is_an_underrun() -> None:
    stage = Stage().run(10)
    stage.play(2)
    stage.play(2, later=39_999)
    assert stage.tally.underruns == 0
    stage.play(2, later=81_000)
    assert stage.tally.underruns == 1


def test_a_turn_without_a_reply_is_counted_and_so_is_a_reply_that_is_too_early() -> None:
    assert Stage().run(100).tally.unanswered == 1
    stage = Stage().run(5)
    stage.play(1)
    assert (stage.tally.early, stage.tally.delays) == (1, [])


def test_a_caller_waits_until_the_server_is_silent_but_not_when_breaking_in() -> None:
    stage = Stage().run(10)
    stage.play(100)
    stage.run(100)
    assert stage.sound.count(VOICE) == 1, "two seconds of reply are heard to their end"
    stage.run(18)
    assert stage.sound.count(VOICE) == 2
    stage.play(100)
    stage.run(20)
    assert stage.sound.count(VOICE) == 3, "and the second one is broken into"
    assert stage.tally.clears == []


def test_from_breaking_in_to_the_clear() -> None:
    stage = Stage().run(10)
    stage.play(1)
    stage.run(90)
    stage.play(100)
    stage.run(16)
    began = stage.sound.rindex(VOICE[:FRAME] * 2) // FRAME
    assert began > 100
    stage.hear(messages.clear("MZ1"), later=5_000)
    (took,) = stage.tally.clears
    assert 0 < took < 200_000


def test_marks_come_back_when_played_and_at_once_when_cleared() -> None:
    stage = Stage()
    stage.play(3)
    stage.hear(messages.set_mark("MZ1", "one"))
    stage.play(50)
    stage.hear(messages.set_mark("MZ1", "two"))
    stage.run(2)
    assert not [each for each in stage.sent if isinstance(each, messages.Mark)]
    stage.run(1)
    stage.hear(messages.clear("MZ1"))
    assert [each.mark.name for each in stage.sent if isinstance(each, messages.Mark)] == ["one", "two"]


def test_what_a_carrier_would_not_understand_is_a_problem() -> None:
    stage = Stage()
    stage.hear('{"event":"clear"}')
    assert "31951" in stage.tally.problems[0]


def test_tallies_add_up() -> None:
    one, other = Tally(delays=[1], sent=2), Tally(delays=[3], sent=4, lost=1)
    one.add(other)
    assert (one.delays, one.sent, one.lost) == ([1, 3], 6, 1)


@pytest.mark.parametrize(("share", "value"), [(0.5, 51), (0.95, 96), (1.0, 100)])
def test_percentiles(share: float, value: int) -> None:
    assert percentile(range(100, 0, -1), share) == value
    assert percentile([], share) == 0
