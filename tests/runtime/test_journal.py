"""The log of a call, as text and as JSON."""

import io
import json
import logging

import pytest

from offhook.call.outputs import (
    AgentSaid,
    CallCosted,
    CallEnded,
    CallStarted,
    FlowFinished,
    Gathered,
    Interrupted,
    Report,
    ToolUsed,
    Transferred,
    TurnTimed,
    UserSaid,
    Warned,
)
from offhook.call.usage import Consumption
from offhook.conversation.redaction import Redaction
from offhook.runtime.journal import Journal, delays, hidden
from offhook.runtime.logs import logging_to
from offhook.timebase import seconds

CALL = "CA" + "1" * 32
STREAM = "MZ" + "a" * 26 + "b2c3d4"
PARAMETERS = {"From": "+15550001", "To": "+15550002", "offhook.token": "hush", "note": "private"}


def written(*reports: Report, as_json: bool = False, redaction: Redaction | None = None) -> list[str]:
    stream = io.StringIO()
    with logging_to(stream, as_json=as_json):
        journal = Journal(CALL, STREAM, redaction)
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


COSTED = CallCosted(
    seconds(72.5),
    Consumption(transcriptions=3, heard=20_000, replies=2, input=900, output=80, speeches=4, spoken=80_000, tools=1),
    Consumption(transcriptions=1, heard=8_000),
    0.012345,
    0.0001,
)


def test_what_a_call_cost() -> None:
    cost, end = written(COSTED, CallEnded("stop", 2, 2))
    assert "[cost] 72.5 s; 3 transcriptions of 2.5 s, 2 replies of 900 + 80 tokens" in cost
    assert "4 pieces of speech of 10.0 s; 1 of 10 requests wasted, $0.0123" in cost
    assert end.endswith("2 said, $0.0123")
    fact = json.loads(written(COSTED, as_json=True)[0])
    assert (fact["seconds"], fact["used"]["input"], fact["dollars"]) == (72.5, 900, 0.012345)


def test_a_cost_that_is_not_known_is_not_shown() -> None:
    lines = written(CallCosted(seconds(1), COSTED.used, COSTED.wasted), CallEnded("stop", 2, 2))
    assert not any("$" in line for line in lines)


SECRETS: list[Report] = [
    CallStarted(CALL, STREAM, True, PARAMETERS),
    UserSaid("4711 0815"),
    AgentSaid("4711 0815", True),
    Interrupted("4711 0815"),
    ToolUsed("pay", '{"card": "4711 0815"}', "paid with 4711 0815", False),
    Gathered(1, "47110815"),
    Transferred("+47110815", "busy at 4711 0815"),
    FlowFinished("done", {"card": "4711 0815"}),
    Warned("late", "no answer from 4711 0815"),
    CallEnded("stop at 4711 0815", 1, 1),
]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("report", SECRETS)
def test_what_is_to_be_hidden_is_nowhere_in_the_line(report: Report, as_json: bool) -> None:
    [line] = written(report, as_json=as_json, redaction=Redaction())
    line = line.replace(CALL, "").replace(STREAM, "")
    for secret in ("4711", "0815", "5550001"):
        assert secret not in line


def test_gathered_digits_are_never_written() -> None:
    for as_json in (False, True):
        [line] = written(Gathered(1, "0815"), as_json=as_json)
        assert "0815" not in line
        assert "4" in line


def test_ids_are_not_hidden() -> None:
    [line] = written(CallStarted(CALL, STREAM, True, PARAMETERS), redaction=Redaction())
    assert CALL in line


def test_without_a_redaction_a_report_is_passed_on_as_it_is() -> None:
    assert all(hidden(report, None) is report for report in SECRETS)
    assert hidden(COSTED, Redaction()) is COSTED
    assert hidden(Gathered(1, "0815"), Redaction()) == Gathered(1, "••••")
