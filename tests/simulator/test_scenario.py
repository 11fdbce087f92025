"""Whole calls in virtual time: the wire, what a script can wait for, and what the report makes of it."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from servers import VOICE, Agent, Parrot, Recorder

from offhook.audio import mulaw
from offhook.carrier.twilio import messages
from offhook.simulator import sounds
from offhook.simulator.acoustics import Echo
from offhook.simulator.caller import Script, SimulatedCaller
from offhook.simulator.line import Line
from offhook.simulator.report import CallReport
from offhook.simulator.scenario import simulate
from offhook.timebase import Instant, ms


class Stage:
    """Runs one call and keeps its server."""

    server: Recorder

    def __init__(self, kind: type[Recorder]) -> None:
        self.kind = kind

    def make(self, send: Callable[[str], None], close: Callable[[], None]) -> Recorder:
        self.server = self.kind(send, close)
        return self.server

    def play(self, script: Script, line: Line | None = None, **options: object) -> CallReport:
        return simulate(self.make, script, line, **options)  # type: ignore[arg-type]


def beep(seconds: float, label: str = "beep") -> sounds.Sound:
    return sounds.sound(VOICE * round(8_000 * seconds), label)


async def one_second(caller: SimulatedCaller) -> None:
    await caller.pause(1)


def test_the_wire_is_twilios() -> None:
    stage = Stage(Recorder)
    report = stage.play(one_second, parameters={"colour": "blue"})
    got = stage.server.got
    assert got[0] == messages.Connected()
    start = got[1]
    assert isinstance(start, messages.Start)
    assert (start.start.stream_sid[:2], start.start.call_sid[:2], len(start.stream_sid)) == ("MZ", "CA", 34)
    assert start.start.custom_parameters == {"colour": "blue"}
    media = [message for message in got if isinstance(message, messages.Media)]
    assert [message.media.timestamp for message in media] == [str(20 * index) for index in range(50)]
    assert [message.media.chunk for message in media] == [str(1 + index) for index in range(50)]
    numbers = [message.sequence_number for message in got if not isinstance(message, messages.Connected)]
    assert numbers == [str(1 + index) for index in range(52)]
    assert isinstance(got[-1], messages.Stop)
    assert stage.server.audio() == mulaw.SILENCE * 8_000
    assert stage.server.at[2:52] == pytest.approx([0.02 * (1 + index) for index in range(50)])
    assert stage.server.closed == ["the carrier closed the socket"]
    assert (report.ended_by, set(report.lateness)) == ("caller", {0})
    assert report.problems == ()
    assert report.ended_at == Instant(1_000_000)


@pytest.mark.parametrize("frame", [80, 160, 240, 1000])
def test_frames_of_any_length_carry_every_sample(frame: int) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.pause(0.0305)
        await caller.say(bytes(range(100)) * 30)

    stage = Stage(Recorder)
    report = stage.play(script, frame=frame)
    assert stage.server.audio().startswith(mulaw.SILENCE * 244 + bytes(range(100)) * 30)
    assert report.said[0].start == Instant(30_500)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 60), st.floats(0, 200), st.integers(0, 3), st.binary(min_size=1, max_size=5_000))
def test_what_a_parrot_gets_comes_back_whole_over_any_delay(
    delay: float, jitter: float, seed: int, words: bytes
) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.say(words)
        await caller.pause(1)

    stage = Stage(Parrot)
    report = stage.play(script, Line(delay_ms=delay, jitter_ms=jitter, seed=seed))
    heard = b"".join(audio for _, audio in report.ear.heard())
    assert heard.startswith(words)
    first, _ = report.ear.heard()[0]
    assert ms(20 + 2 * delay) - 2 <= first <= ms(20 + 2 * delay + 2 * jitter) + 127
    assert report.problems == ()


def test_a_conversation_is_told_to_the_sample() -> None:
    async def script(caller: SimulatedCaller) -> None:
        assert len(await caller.listen_until_quiet(seconds=0.5)) == 2.5 * 8_000
        await caller.say(beep(1, "question"))
        await caller.agent_speaks()
        await caller.pause(0.8)
        await caller.say(beep(0.4, "interruption"))
        await caller.listen_until_quiet()
        await caller.press("9")
        await caller.server_hangs_up()

    stage = Stage(Agent)
    report = stage.play(script)
    assert [said.label for said in report.said] == ["question", "interruption"]
    question, interruption = report.turns
    # The end of the question lies at the end of a frame, so the agent's own 500 ms are all there is.
    assert (question.said.start, question.said.end) == (Instant(2_500_000), Instant(3_500_000))
    assert question.response_delay == ms(500)
    assert (question.cut_in, question.stop_time, question.stale) == (None, None, 0)
    # The first interrupting frame is full, and sent, 20 ms after its first sample.
    assert interruption.stop_time == ms(20)
    assert interruption.response_delay == ms(500)
    assert report.cleared[0].flushed == (3 - 0.8 - 0.02) * 8_000
    assert [mark.played for mark in report.marks] == [True, False, True]
    assert (report.ended_by, stage.server.closed, report.problems) == ("server", ["we closed the socket"], ())
    assert len(report.story) == 8
    assert "agent speaks for 2.00 s" in report.story[0]


def test_the_lines_delay_is_part_of_what_the_caller_feels() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet()
        await caller.say(beep(1))
        await caller.agent_speaks()
        await caller.say(beep(1))
        await caller.listen_until_quiet()

    turns = Stage(Agent).play(script, Line(delay_ms=40)).turns
    assert [turn.response_delay for turn in turns] == [ms(580), ms(580)]
    assert turns[1].stop_time == ms(100)


def test_an_agent_that_cuts_in_is_seen() -> None:
    class Hasty(Agent):
        delay = 0.2

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet()
        await caller.say(sounds.sound(VOICE * 800 + mulaw.SILENCE * 8_000 + VOICE * 160))
        await caller.pause(1)

    (turn,) = Stage(Hasty).play(script).turns
    assert turn.cut_in == ms(820)


def test_what_is_still_sent_after_a_clear_is_stale() -> None:
    class Leaky(Agent):
        def clear(self) -> None:
            super().clear()
            self.play(VOICE * 400)

    async def script(caller: SimulatedCaller) -> None:
        await caller.agent_speaks()
        await caller.pause(0.5)
        await caller.say(beep(1))

    (turn,) = Stage(Leaky).play(script).turns
    assert turn.stale == ms(50)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"event":"clear","streamSid":"ID","extra":1}', "31951"),
        ('{"event":"media","streamSid":"ID","media":{"payload":"%%"}}', "31951"),
        ('{"event":"mark","streamSid":"ID"}', "31951"),
        ('{"event":"hangup","streamSid":"ID"}', "31951"),
        ('{"event":"clear","streamSid":"MZother"}', "streamSid MZother"),
        ("[]", "31951"),
    ],
)
def test_what_breaks_the_schema_is_a_problem(text: str, complaint: str) -> None:
    class Broken(Recorder):
        def react(self, message: messages.Message) -> None:
            if isinstance(message, messages.Start):
                self.send(text.replace("ID", self.stream_id))

    (problem,) = Stage(Broken).play(one_second).problems
    assert complaint in problem


def test_more_than_ten_minutes_of_audio_is_a_problem() -> None:
    class Flood(Recorder):
        def react(self, message: messages.Message) -> None:
            if isinstance(message, messages.Start):
                for _ in range(13):
                    self.play(VOICE * 8_000 * 50)

    assert Stage(Flood).play(one_second).problems == ("31931: 50.00 s of audio came on top of ten minutes",)


def test_an_abrupt_hang_up_sends_no_stop() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.pause(0.5)
        await caller.hang_up(abruptly=True)
        await caller.say(b"never heard")

    stage = Stage(Recorder)
    stage.play(script)
    assert stage.server.of(messages.Stop) == []
    assert len(stage.server.closed) == 1


def test_waiting_has_limits_that_say_what_did_not_happen() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.agent_speaks(timeout=2)

    with pytest.raises(TimeoutError, match="the agent did not speak within 2 s"):
        Stage(Recorder).play(script)


def test_a_reply_that_begins_in_the_silence_behind_the_words_was_listened_to() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet()
        await caller.say(sounds.sound(VOICE * 800 + mulaw.SILENCE * 8_000 * 9))
        assert VOICE * 3 * 8_000 in await caller.listen_until_quiet(timeout=0)

    Stage(Agent).play(script)


def test_a_lost_frame_leaves_a_hole_in_the_timestamps() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.pause(20)

    stage = Stage(Recorder)
    stage.play(script, Line(loss=0.1, seed=1))
    media = [message.media for message in stage.server.got if isinstance(message, messages.Media)]
    assert 850 < len(media) < 950
    assert [item.chunk for item in media] == [str(1 + index) for index in range(len(media))]
    stamps = [int(item.timestamp) for item in media]
    steps = {later - earlier for earlier, later in pairwise(stamps)}
    assert 20 in steps
    assert max(steps) > 100


def test_the_agents_own_voice_comes_back_as_echo() -> None:
    stage = Stage(Agent)
    stage.play(one_second, Line(echo=Echo(gain_db=-20, delay_ms=100)))
    heard = mulaw.decode(stage.server.audio())
    assert not heard[:800].any()
    assert abs(heard[801:]).min() == pytest.approx(abs(int(mulaw.decode(VOICE)[0])) / 10, rel=0.05)


def test_the_same_seed_tells_the_same_story() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet()
        await caller.say(beep(1))
        await caller.listen_until_quiet()

    def story(seed: int) -> tuple[object, ...]:
        stage = Stage(Agent)
        report = stage.play(script, Line(delay_ms=30, jitter_ms=50, loss=0.05, seed=seed))
        return report.story, report.identity, stage.server.at, stage.server.audio()

    assert story(1) == story(1) != story(2)
