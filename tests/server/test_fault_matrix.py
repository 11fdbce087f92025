"""Every stage of a call fails in every way: nobody waits in silence, the call goes on or ends politely, and the log
says who failed and how.
"""

import re

import pytest
from fault_matrix import CELLS, KEY, Cell, Kind, Outcome, played

from offhook.simulator.openai_server import Trouble

pytestmark = pytest.mark.wall_clock

SOUND, WORD = 2.7, 4.5
"""Seconds after the caller's last sound by which there is a sound, and by which there is more than filler: an apology
is due at 4."""
STAGES = {"stt": "transcription", "llm": "reply", "tts": "speech"}
CAUSES = {
    Trouble.HANG: r"not answer(ed)? (within|for) 1\.5 s",
    Trouble.SLOW: r"not answer(ed)? (within|for) 1\.5 s",
    Trouble.REFUSE: r"All connection attempts failed|ConnectionRefusedError",
    Trouble.GARBAGE: r"the answer makes no sense",
    Trouble.CLOSE: r"the answer breaks off|the connection was lost",
    Trouble.UNAUTHORIZED: r"is not asked any more .* 401\b",
    Trouble.OVERLOADED: r": 429\b",
    Trouble.BROKEN: r": 500\b",
}
"""What the log says of each."""


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[Cell, Outcome], list[str]]:
    return played(tmp_path_factory.mktemp("phrases"))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_nobody_waits_in_silence(matrix: tuple[dict[Cell, Outcome], list[str]], cell: Cell) -> None:
    outcome = matrix[0][cell]
    for turn in outcome.turns:
        assert turn.first <= SOUND + outcome.late, outcome
        assert min(turn.at("answer"), turn.at("apology"), turn.at("goodbye")) <= WORD + outcome.late, outcome
    assert not outcome.problems


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_call_goes_on_or_ends_politely(matrix: tuple[dict[Cell, Outcome], list[str]], cell: Cell) -> None:
    outcome = matrix[0][cell]
    last = [turn.heard[-1][1] for turn in outcome.turns]
    if cell.hopeless:
        assert last == ["apology", "apology", "goodbye"], outcome
        assert outcome.ended_by == "server"
        return
    only = cell.kind is Kind.ONCE and cell.trouble is not Trouble.SLOW
    assert last == ["apology" if only else "answer", "answer"], outcome
    assert outcome.ended_by == "caller"
    if cell.kind is Kind.SPARE:
        assert all(name in ("filler", "answer") for turn in outcome.turns for _, name in turn.heard), outcome
        assert outcome.turns[1].at("answer") <= SOUND + outcome.late, "the one that failed was asked again"


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_log_says_who_failed_and_how(matrix: tuple[dict[Cell, Outcome], list[str]], cell: Cell) -> None:
    outcome = matrix[0][cell]
    stage = STAGES[cell.stage.split()[0]]
    said = [line for line in outcome.log if re.match(rf"(WARNING|ERROR) {stage}: \S+{cell}\b", line)]
    assert any(re.search(CAUSES[cell.trouble], line) for line in said), outcome.log


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.trouble is Trouble.UNAUTHORIZED], ids=str)
def test_a_key_that_is_refused_is_said_once_and_not_tried_again(
    matrix: tuple[dict[Cell, Outcome], list[str]], cell: Cell
) -> None:
    outcome = matrix[0][cell]
    assert len([line for line in outcome.log if line.startswith("ERROR")]) == 1
    assert outcome.asked == 1


def test_no_line_of_the_log_has_the_key(matrix: tuple[dict[Cell, Outcome], list[str]]) -> None:
    lines = matrix[1]
    assert len(lines) > 1_000
    assert not [line for line in lines if KEY in line or "Traceback" in line]
