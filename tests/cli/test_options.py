"""What single options of the commands accept, and what comes of them."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from offhook.call.config import CallConfig
from offhook.call.inputs import DeadlinePassed
from offhook.call.tape import Header, Step, encode_header, encode_step
from offhook.cli.bench import CYCLE
from offhook.cli.main import app
from offhook.errors import ConfigurationError
from offhook.simulator.load.profile import Profile

TAPE = encode_header(Header("0", "", CallConfig())) + encode_step(Step(0, DeadlinePassed(), 0))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.mark.parametrize(
    ("verb", "option", "value"),
    [
        ("bench", "--calls", 0),
        ("bench", "--calls", -1),
        ("bench", "--most", 0),
        ("bench", "--seconds", 0),
        ("bench", "--seconds", 11.9),
        ("demo", "--limit", 0),
        ("demo", "--limit", -5),
    ],
)
def test_numbers_that_make_no_sense_are_refused_at_once(verb: str, option: str, value: float) -> None:
    done = run(verb, option, value)
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.stderr


def test_the_shortest_measure_is_a_cycle_of_the_profile() -> None:
    assert Profile(b"", b"").cycle == CYCLE * 1_000_000


@pytest.mark.parametrize(("cut", "end"), [(0, "recorded.\n"), (3, "recorded; the tape breaks off there.\n")])
def test_a_tape_is_replayed_up_to_where_it_breaks_off(tmp_path: Path, cut: int, end: str) -> None:
    tape = tmp_path / "call.tape"
    tape.write_bytes(TAPE[: len(TAPE) - cut])
    done = run("replay", tape)
    assert done.exit_code == 0
    assert done.stdout.startswith("The same: ")
    assert done.stdout.endswith(end)


def test_sound_that_cannot_be_written(tmp_path: Path) -> None:
    tape, sound = tmp_path / "call.tape", tmp_path / "nowhere" / "x.wav"
    tape.write_bytes(TAPE)
    done = run("replay", "--wav", sound, tape)
    assert isinstance(done.exception, ConfigurationError)
    assert str(done.exception) == f"cannot write {sound}: No such file or directory"


def test_a_demonstration_that_is_not_over_in_time_ends_there(tmp_path: Path) -> None:
    done = run("demo", "--limit", 1, "--record", tmp_path)
    assert done.exit_code == 1
    shown = done.stdout.split("rings.")[-1]
    assert "The call was not over after 1 s." in shown
    assert "caller  " not in shown, "nobody has said anything yet, nor does so afterwards"
    assert "replies after" not in shown
