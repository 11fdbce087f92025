"""`offhook bench`: its sounds, and a small crowd that calls a server of its own."""

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from offhook.audio import level, mulaw
from offhook.cli.bench import _line_noise, _speech
from offhook.cli.bench_server import _overrun, own_server
from offhook.simulator.load import agents, manager
from offhook.simulator.load.profile import Profile
from offhook.simulator.openai_server.log import Log, Request, Stage
from offhook.timebase import Instant, ms

pytestmark = pytest.mark.wall_clock


def test_a_line_is_hardly_heard() -> None:
    assert -67 < level.dbov(mulaw.decode(_line_noise())) < -63


def test_speech_from_a_file_loses_the_silence_around_it_and_is_as_loud_as_a_telephone(tmp_path: Path) -> None:
    tone = np.rint(np.sin(np.arange(8_000) * 0.5) * 3_000).astype(np.int16)
    with wave.open(str(tmp_path / "tone.wav"), "wb") as file:
        file.setparams((1, 2, 8_000, 0, "NONE", ""))
        file.writeframes(np.concatenate((np.zeros(4_000, np.int16), tone, np.zeros(4_000, np.int16))).tobytes())
    speech = asyncio.run(_speech(tmp_path / "tone.wav"))
    assert abs(len(speech) - 8_000) <= 2
    assert abs(level.active_speech(mulaw.decode(speech)) + 25) < 0.5


def test_a_crowd_calls_and_the_server_is_measured_meanwhile() -> None:
    held = Profile(b"", _line_noise(), cycle=ms(320))
    with own_server(3, scripted=True) as (target, overrun):
        found = manager.level(target, held, 3, 0.5)
        assert overrun() is None
        assert (found.calls, found.lost, found.refused, found.problems) == (3, 0, 0, ())
        assert found.sent_per_second > 3 * 50 * 0.8
        assert found.server_late_p99 is not None
        crowded = manager.level(target, held, 2, 0.3)
        assert crowded.refused == 0, "lines are free again once a crowd has hung up"


def test_a_server_with_workers_is_measured_as_one() -> None:
    held = Profile(b"", _line_noise(), cycle=ms(320))
    with own_server(4, 2, scripted=True) as (target, _):
        found = manager.level(target, held, 4, 1.0)
    assert (found.calls, found.lost, found.refused, found.problems) == (4, 0, 0, ())
    assert found.server_late_p99 is not None
    if found.memory is not None:
        assert found.memory > 150e6, "a supervisor and two workers"
        assert found.cpu_per_call_second


def test_a_storm_harms_nobody_and_is_told_that_all_lines_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "LONGEST_RAMP", 0.2)
    held = Profile(b"", _line_noise(), cycle=ms(320))
    with own_server(2, scripted=True) as (target, _):
        found = manager.level(target, held, 2, 4.0, storm=6)
    assert (found.harmed, found.refused) == (0, 0)
    ((words, count),) = found.storm.items()
    assert count == 6
    assert "<Say>" in words


def test_what_the_stand_in_takes_beyond_what_it_was_told() -> None:
    def request(stage: Stage, first: float, ended: float) -> Request:
        return Request(stage, 1, Instant(0), first=Instant(round(first * 1e6)), ended=Instant(round(ended * 1e6)))

    log = Log(lambda: Instant(0))  # type: ignore[arg-type]
    log += [request(Stage.TRANSCRIPTION, 0.203, 0.204), request(Stage.SPEECH, 0.105, 0.2)]
    assert _overrun(log) == 8_000
    written = request(Stage.CHAT, 0.301, 0.301 + 39 * 0.021)
    log.append(written)
    assert abs(_overrun(log) - (8_000 + 1_000 + agents.CLAUSE * 1_000)) < 5
    log.clear()
    assert _overrun(log) == 0
