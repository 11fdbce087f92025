"""Where a flow stands, and what a move of it brings."""

from enum import StrEnum

from offhook.conversation.expectation import Expectation
from offhook.values import Value


class Phase(StrEnum):
    ASKING = "asking"
    CHECKING = "checking"
    """An answer has been read back: is it right?"""
    CONFIRMING = "confirming"
    """All answers have been read back: are they right?"""
    CORRECTING = "correcting"
    """They are not: which one?"""
    ENDED = "ended"


class FlowState(Value, frozen=True):
    """Where a flow stands. `question` is the id of what is asked or checked, `pending` the value that is checked,
    `failures` how often in a row nothing usable came, `prompt` what "repeat" repeats."""

    answers: dict[str, str] = {}
    phase: Phase = Phase.ASKING
    question: str = ""
    pending: str = ""
    failures: int = 0
    prompt: str = ""
    outcome: str = ""


class FlowStep(Value, frozen=True):
    """What a move brings: the new state, what to say ("" for nothing) and what to expect then.

    `outcome` is "" while the flow goes on. When it is "done", "operator", "goodbye" or "gave_up", nothing is expected
    any more and the call ends after `say`.
    """

    state: FlowState
    say: str
    expects: Expectation | None
    outcome: str = ""
