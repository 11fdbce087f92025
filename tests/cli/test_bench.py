"""`offhook bench`: a small crowd calls a server of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from offhook.cli.bench_server import _overrun, own_server
from offhook.errors import OffhookError
from offhook.simulator.load import agents, manager
from offhook.simulator.load.material import line_noise
from offhook.simulator.load.profile import Profile
from offhook.simulator.openai_server.log import Log, Request, Stage
from offhook.timebase import Instant, ms

pytestmark = pytest.mark.wall_clock


PRODUCTION = {
    "OFFHOOK_PUBLIC_URL": "https://phone.example.com",
    "OFFHOOK_OVERFLOW": "dial:+15550123",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


@pytest.fixture
def _beside_a_production_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What its settings and the network's say is nothing to the server that is measured, and it records nothing."""
    for name in ("NO_PROXY", "no_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OFFHOOK_RECORD", str(tmp_path / "calls"))
    yield
    assert not (tmp_path / "calls").exists()


@pytest.mark.usefixtures("_beside_a_production_server")
def test_a_crowd_calls_and_the_server_is_measured_meanwhile() -> None:
    held = Profile(b"", line_noise(), cycle=ms(320))
    with own_server(3, scripted=True) as (target, overrun):
        found = manager.level(target, held, 3, 0.5)
        assert overrun() is None
        assert (found.calls, found.lost, found.refused, found.problems) == (3, 0, 0, ())
        assert found.sent_per_second > 3 * 50 * 0.8
        assert found.server_late_p99 is not None
        crowded = manager.level(target, held, 2, 0.3)
        assert crowded.refused == 0, "lines are free again once a crowd has hung up"


def test_a_server_with_workers_is_measured_as_one() -> None:
    held = Profile(b"", line_noise(), cycle=ms(320))
    with own_server(4, 2, scripted=True) as (target, _):
        found = manager.level(target, held, 4, 1.0)
    assert (found.calls, found.lost, found.refused, found.problems) == (4, 0, 0, ())
    assert found.server_late_p99 is not None
    if found.memory is not None:
        assert found.memory > 150e6, "a supervisor and two workers"
        assert found.cpu_per_call_second


@pytest.mark.usefixtures("_beside_a_production_server")
def test_a_storm_harms_nobody_and_is_told_that_all_lines_are_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager, "LONGEST_RAMP", 0.2)
    held = Profile(b"", line_noise(), cycle=ms(320))
    with own_server(2, scripted=True) as (target, _):
        found = manager.level(target, held, 2, 4.0, storm=6)
    assert (found.harmed, found.refused) == (0, 0)
    ((words, count),) = found.storm.items()
    assert count == 6
    assert "<Say>" in words


def test_a_server_that_does_not_start_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_START_TIMEOUT", "0")
    with pytest.raises(OffhookError, match="did not start"), own_server(1, scripted=True):
        pass


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
