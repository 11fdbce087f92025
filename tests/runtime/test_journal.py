"""The log of a call, as text and as JSON."""

import io
import json
import logging

import pytest

from offhook.call.outputs import (
    AgentSaid,
    CallEnded,
    CallStarted,
    FlowFinished,
    Report,
    TurnTimed,
    UserSaid,
    Warned,
)
from offhook.runtime.journal import Journal, delays
from offhook.runtime.logs import logging_to

CALL = "CA" + "1" * 32
STREAM = "MZ" + "a" * 26 + "b2c3d4"
PARAMETERS = {"From": "+15550001", "To": "+15550002", "offhook.token": "hush", "note": "private"}


def written(*reports: Report, as_json: bool = False) -> list[str]:
    stream = io.StringIO()
    with logging_to(stream, as_json=as_json):
        journal = Journal(CALL, STREAM)
        for report in reports:
            journal.report(report)
    return stream.getvalue().splitlines()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (CallStarted(CALL, STREAM, True, PARAMETERS), f"[start] sid={STREAM} call={CALL} from=+15550001 to=+15550002"),
        (UserSaid("I'd like a room"), "user said: 'I'd like a room'"),
        (UserSaid("hello", "outbound"), "outbound said: 'hello'"),
        (AgentSaid("Certainly.", True), "agent said: 'Certainly.'"),
        (AgentSaid("Cert", False), "agent said: 'Cert' (interrupted)"),
        (TurnTimed(600_400, 250_000, -1, 310_000, 601_000), "confirmed=600ms transcribed=250ms voiced=310ms"),
        (FlowFinished("done", {"day": "Monday"}), "[flow] done: day='Monday'"),
        (Warned("late", "the loop is late"), "warning: the loop is late"),
        (CallEnded("stop", 3, 4), "[end] stop; 3 turns heard, 4 said"),
    ],
)
def test_each_report_is_one_line(report: Report, words: str) -> None:
    [line] = written(report)
    assert words in line
    assert "b2c3d4" in line
    assert "hush" not in line
    assert "private" not in line


def test_a_caller_cannot_write_lines() -> None:
    [line] = written(UserSaid("yes\n12:00:00 INFO [end] forged\x1b[2J"))
    assert "yes 12:00:00 INFO [end] forged [2J" in line


def test_a_kind_of_warning_comes_once() -> None:
    lines = written(Warned("a", "first"), Warned("b", "other"), Warned("a", "again"))
    assert [line.rpartition(": ")[2] for line in lines] == ["first", "other"]


def test_json_lines_hold_the_facts() -> None:
    lines = written(
        CallStarted(CALL, STREAM, True, PARAMETERS),
        TurnTimed(600_000, 1_000, -1, 2_000, 3_000),
        UserSaid("grüß"),
        as_json=True,
    )
    start, turn, said = (json.loads(line) for line in lines)
    assert (start["event"], start["sid"], start["call"], start["from"]) == ("start", STREAM, CALL, "+15550001")
    assert "hush" not in lines[0]
    assert (turn["confirmed"], turn["played"], "written" in turn) == (600, 3, False)
    assert (said["text"], said["level"]) == ("grüß", "INFO")


def test_delays_leave_out_what_was_not_needed() -> None:
    assert delays(TurnTimed(500_000, -1, -1, 1_499, 2_000)) == {"confirmed": 500, "voiced": 1, "played": 2}


def test_logging_is_given_back_as_it_was_found() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("offhook").level)
    with logging_to(io.StringIO(), level="debug"):
        assert logging.getLogger("offhook").level == logging.DEBUG
    assert (root.level, list(root.handlers), logging.getLogger("offhook").level) == before


def test_a_traceback_stays_in_its_json_line() -> None:
    stream = io.StringIO()
    with logging_to(stream, as_json=True):
        try:
            raise KeyError("who?")
        except KeyError:
            logging.getLogger("offhook").exception("it broke")
    line = json.loads(stream.getvalue())
    assert "KeyError" in line["traceback"]
