"""What handlers of an agent may listen for, by the names that users write."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

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
from offhook.errors import ConfigurationError

Handler = Callable[..., Any]
"""A function `(call, event)`, async or not."""

EVENTS: dict[str, type[Report]] = {
    "started": CallStarted,
    "user_said": UserSaid,
    "agent_said": AgentSaid,
    "interrupted": Interrupted,
    "tool_called": ToolUsed,
    "turn_timed": TurnTimed,
    "flow_finished": FlowFinished,
    "gathered": Gathered,
    "transferred": Transferred,
    "warned": Warned,
    "costed": CallCosted,
    "ended": CallEnded,
}


def event_type(name: str) -> type[Report]:
    """What a handler of this name is given. Raises ConfigurationError."""
    if name in EVENTS:
        return EVENTS[name]
    likely = get_close_matches(name, EVENTS, n=1)
    hint = f'; did you mean "{likely[0]}"?' if likely else "."
    raise ConfigurationError(f'There is no event "{name}"{hint} There are: {", ".join(EVENTS)}.')
