"""The turn-taking table: every state, every move, and nothing else.

Two machines run side by side, one for each party, as in any conversation. Each takes every event; `CALLER` and
`AGENT` list where it leads and `IGNORED` the pairs that mean nothing. A third table, `JOINT`, couples them: it names
the states of *both* that force a move after a wait, whatever road led there. docs/theory/turn-taking.md explains the
tables and shows them drawn; a test holds that every pair is listed exactly once.
"""

from enum import StrEnum
from typing import NamedTuple

from offhook.turns.events import Event, Move


class Caller(StrEnum):
    """What the caller is doing."""

    ABSENT = "absent"
    SILENT = "silent"
    SPEAKING = "speaking"
    PAUSED = "paused"
    """Silent, but what was said has not been dealt with."""
    WAITING = "waiting"
    """Silent, and has asked us to wait."""


class Agent(StrEnum):
    """What we are doing."""

    NOT_STARTED = "not started"
    LISTENING = "listening"
    THINKING = "thinking"
    """The floor is ours, and nothing is being played yet."""
    USING_TOOL = "using a tool"
    SPEAKING = "speaking"
    SPEAKING_FIRMLY = "speaking uninterruptibly"
    HOLDING = "holding"
    """The caller may be breaking in: nothing is played, everything is kept."""
    SAYING_GOODBYE = "saying goodbye"
    TRANSFERRING = "transferring"


class Step(NamedTuple):
    """Where an event leads, and what has to be done about it."""

    to: Agent
    move: Move | None = None


class Clock(StrEnum):
    """What a wait is counted in."""

    AUDIO = "audio heard"
    NOW = "time passed"


class Since(StrEnum):
    """Where a wait begins."""

    ENTERED = "the states were entered"
    SPEECH_STARTED = "the caller's speech started"
    SPEECH_STOPPED = "the caller's speech stopped"


class Rule(NamedTuple):
    """A joint state that does not last: after `wait` (a field of `Patience`), both machines move on."""

    wait: str
    clock: Clock
    since: Since
    caller: Caller
    agent: Agent
    move: Move | None


_E, _C, _A = Event, Caller, Agent

CALLER: dict[tuple[Caller, Event], Caller] = {
    (_C.ABSENT, _E.CALLER_ARRIVED): _C.SILENT,
    (_C.SILENT, _E.SPEECH_STARTED): _C.SPEAKING,
    (_C.PAUSED, _E.SPEECH_STARTED): _C.SPEAKING,
    (_C.WAITING, _E.SPEECH_STARTED): _C.SPEAKING,
    (_C.SPEAKING, _E.SPEECH_STOPPED): _C.PAUSED,
    (_C.SPEAKING, _E.SOUND_HEARD): _C.SILENT,
    # Words may arrive after we have gone on speaking, or after the noise that they came with was forgotten.
    (_C.SILENT, _E.WORDS_HEARD): _C.PAUSED,
    (_C.PAUSED, _E.NOTHING_HEARD): _C.SILENT,
    (_C.PAUSED, _E.WAIT_ASKED): _C.WAITING,
    (_C.SILENT, _E.WAIT_ASKED): _C.WAITING,
    (_C.PAUSED, _E.KEYS_ENTERED): _C.SILENT,
    (_C.WAITING, _E.KEYS_ENTERED): _C.SILENT,
    # Who speaks and answers by keypad has answered: what is being said belongs to it, and is no interruption.
    (_C.SPEAKING, _E.KEYS_ENTERED): _C.SILENT,
    **{(state, _E.CALLER_LEFT): _C.ABSENT for state in (_C.SILENT, _C.SPEAKING, _C.PAUSED, _C.WAITING)},
}

AGENT: dict[tuple[Agent, Event], Step] = {
    (_A.NOT_STARTED, _E.CALLER_ARRIVED): Step(_A.LISTENING),
    **{(state, _E.CALLER_LEFT): Step(_A.NOT_STARTED) for state in _A if state is not _A.NOT_STARTED},
    # The floor becomes ours.
    (_A.LISTENING, _E.SAY_ORDERED): Step(_A.THINKING),
    (_A.LISTENING, _E.KEYS_ENTERED): Step(_A.THINKING),
    (_A.THINKING, _E.TURN_EMPTY): Step(_A.LISTENING),
    (_A.THINKING, _E.TOOL_STARTED): Step(_A.USING_TOOL),
    (_A.SPEAKING, _E.TOOL_STARTED): Step(_A.USING_TOOL),
    (_A.USING_TOOL, _E.TOOL_FINISHED): Step(_A.THINKING),
    (_A.THINKING, _E.PLAYBACK_STARTED): Step(_A.SPEAKING),
    (_A.THINKING, _E.FIRM_PLAYBACK_STARTED): Step(_A.SPEAKING_FIRMLY),
    (_A.SPEAKING, _E.FIRM_PLAYBACK_STARTED): Step(_A.SPEAKING_FIRMLY),
    (_A.SPEAKING_FIRMLY, _E.PLAYBACK_STARTED): Step(_A.SPEAKING),
    # And is given back.
    (_A.SPEAKING, _E.PLAYBACK_FINISHED): Step(_A.LISTENING),
    (_A.SPEAKING_FIRMLY, _E.PLAYBACK_FINISHED): Step(_A.LISTENING),
    # A hold that came on the last word leaves nothing to go on with.
    (_A.THINKING, _E.PLAYBACK_FINISHED): Step(_A.LISTENING),
    # A hold ends in one of two ways.
    (_A.HOLDING, _E.WORDS_HEARD): Step(_A.LISTENING, Move.INTERRUPT),
    (_A.HOLDING, _E.WAIT_ASKED): Step(_A.LISTENING, Move.INTERRUPT),
    (_A.HOLDING, _E.BACKCHANNEL_HEARD): Step(_A.THINKING, Move.RESUME),
    (_A.HOLDING, _E.NOTHING_HEARD): Step(_A.THINKING, Move.RESUME),
    # Real words that arrive after we have gone on: interrupted after all.
    **{
        (state, event): Step(_A.LISTENING, Move.INTERRUPT)
        for state in (_A.THINKING, _A.USING_TOOL, _A.SPEAKING)
        for event in (_E.WORDS_HEARD, _E.WAIT_ASKED)
    },
    # A key is never a cough.
    **{(state, _E.KEY_PRESSED): Step(_A.LISTENING, Move.INTERRUPT) for state in (_A.SPEAKING, _A.HOLDING)},
    # The end.
    **{
        (state, _E.GOODBYE_STARTED): Step(_A.SAYING_GOODBYE)
        for state in (_A.LISTENING, _A.THINKING, _A.USING_TOOL, _A.SPEAKING, _A.SPEAKING_FIRMLY)
    },
    (_A.HOLDING, _E.GOODBYE_STARTED): Step(_A.SAYING_GOODBYE, Move.RESUME),
    (_A.SAYING_GOODBYE, _E.PLAYBACK_FINISHED): Step(_A.SAYING_GOODBYE, Move.HANG_UP),
    (_A.SAYING_GOODBYE, _E.TRANSFER_STARTED): Step(_A.TRANSFERRING),
    **{
        (state, _E.TRANSFER_STARTED): Step(_A.TRANSFERRING)
        for state in (_A.LISTENING, _A.THINKING, _A.USING_TOOL, _A.SPEAKING, _A.SPEAKING_FIRMLY, _A.HOLDING)
    },
    (_A.TRANSFERRING, _E.TRANSFER_FAILED): Step(_A.LISTENING),
}

JOINT: dict[tuple[Caller, Agent], Rule] = {
    (_C.PAUSED, _A.LISTENING): Rule("pause", Clock.AUDIO, Since.SPEECH_STOPPED, _C.SILENT, _A.THINKING, Move.END_TURN),
    # Speech has been evident for 64 ms when it is reported, so there is nothing left to wait for.
    (_C.SPEAKING, _A.SPEAKING): Rule("hold", Clock.AUDIO, Since.ENTERED, _C.SPEAKING, _A.HOLDING, Move.HOLD),
    **{
        (_C.SPEAKING, state): Rule("none", Clock.NOW, Since.ENTERED, _C.SPEAKING, _A.HOLDING, Move.HOLD)
        for state in (_A.THINKING, _A.USING_TOOL)
    },
    (_C.SPEAKING, _A.HOLDING): Rule(
        "overlap", Clock.AUDIO, Since.SPEECH_STARTED, _C.SPEAKING, _A.LISTENING, Move.INTERRUPT
    ),
    (_C.PAUSED, _A.HOLDING): Rule("verdict", Clock.NOW, Since.ENTERED, _C.SILENT, _A.THINKING, Move.RESUME),
    (_C.SILENT, _A.HOLDING): Rule("none", Clock.NOW, Since.ENTERED, _C.SILENT, _A.THINKING, Move.RESUME),
    (_C.WAITING, _A.HOLDING): Rule("none", Clock.NOW, Since.ENTERED, _C.WAITING, _A.THINKING, Move.RESUME),
    # What the caller said has been dealt with: we have gone on.
    **{
        (_C.PAUSED, state): Rule("none", Clock.NOW, Since.ENTERED, _C.SILENT, state, None)
        for state in (_A.THINKING, _A.USING_TOOL, _A.SPEAKING)
    },
    (_C.SILENT, _A.LISTENING): Rule("idle", Clock.AUDIO, Since.ENTERED, _C.SILENT, _A.THINKING, Move.ASK_IF_THERE),
    (_C.WAITING, _A.LISTENING): Rule("away", Clock.AUDIO, Since.ENTERED, _C.SILENT, _A.THINKING, Move.ASK_IF_THERE),
}

# Pairs that are heard and change nothing: detectors stutter, results come late, and some things are news to one of
# the two machines only.
_NEWS_OF_THE_AGENT = {
    _E.SAY_ORDERED, _E.PLAYBACK_STARTED, _E.FIRM_PLAYBACK_STARTED, _E.PLAYBACK_FINISHED, _E.TURN_EMPTY, _E.TOOL_STARTED,
    _E.TOOL_FINISHED, _E.GOODBYE_STARTED, _E.TRANSFER_STARTED, _E.TRANSFER_FAILED,
}  # fmt: skip
_NEWS_OF_THE_CALLER = {_E.SPEECH_STARTED, _E.SPEECH_STOPPED, _E.SOUND_HEARD}
_NEWS_OF_THE_LINE = {_E.EXPECTATION_CHANGED, _E.LINE_STALLED, _E.LINE_RESUMED}

CALLER_IGNORES: dict[Caller, set[Event]] = {
    _C.ABSENT: set(_E) - {_E.CALLER_ARRIVED},
    _C.SILENT: _NEWS_OF_THE_AGENT | _NEWS_OF_THE_LINE
    | {_E.CALLER_ARRIVED, _E.SPEECH_STOPPED, _E.BACKCHANNEL_HEARD, _E.NOTHING_HEARD, _E.SOUND_HEARD, _E.KEY_PRESSED,
       _E.KEYS_ENTERED},
    _C.SPEAKING: _NEWS_OF_THE_AGENT | _NEWS_OF_THE_LINE
    | {_E.CALLER_ARRIVED, _E.SPEECH_STARTED, _E.WORDS_HEARD, _E.BACKCHANNEL_HEARD, _E.NOTHING_HEARD, _E.WAIT_ASKED,
       _E.KEY_PRESSED},
    _C.PAUSED: _NEWS_OF_THE_AGENT | _NEWS_OF_THE_LINE
    | {_E.CALLER_ARRIVED, _E.SPEECH_STOPPED, _E.WORDS_HEARD, _E.BACKCHANNEL_HEARD, _E.SOUND_HEARD, _E.KEY_PRESSED},
    _C.WAITING: _NEWS_OF_THE_AGENT | _NEWS_OF_THE_LINE
    | {_E.CALLER_ARRIVED, _E.SPEECH_STOPPED, _E.WORDS_HEARD, _E.BACKCHANNEL_HEARD, _E.NOTHING_HEARD, _E.SOUND_HEARD,
       _E.WAIT_ASKED, _E.KEY_PRESSED},
}  # fmt: skip

_NEVER_NEWS_TO_THE_AGENT = _NEWS_OF_THE_CALLER | _NEWS_OF_THE_LINE
_MEANINGS = {_E.WORDS_HEARD, _E.BACKCHANNEL_HEARD, _E.NOTHING_HEARD, _E.WAIT_ASKED}
_PLAYBACK = {_E.PLAYBACK_STARTED, _E.FIRM_PLAYBACK_STARTED, _E.PLAYBACK_FINISHED}
_KEYS = {_E.KEY_PRESSED, _E.KEYS_ENTERED}
_TOOLS = {_E.TOOL_STARTED, _E.TOOL_FINISHED}

AGENT_IGNORES: dict[Agent, set[Event]] = {
    _A.NOT_STARTED: set(_E) - {_E.CALLER_ARRIVED},
    _A.LISTENING: _NEVER_NEWS_TO_THE_AGENT | _MEANINGS | _PLAYBACK | _TOOLS
    | {_E.CALLER_ARRIVED, _E.KEY_PRESSED, _E.TURN_EMPTY, _E.TRANSFER_FAILED},
    _A.THINKING: _NEVER_NEWS_TO_THE_AGENT | _KEYS
    | {_E.CALLER_ARRIVED, _E.BACKCHANNEL_HEARD, _E.NOTHING_HEARD, _E.SAY_ORDERED, _E.TOOL_FINISHED, _E.TRANSFER_FAILED},
    _A.USING_TOOL: _NEVER_NEWS_TO_THE_AGENT | _KEYS | _PLAYBACK
    | {_E.CALLER_ARRIVED, _E.BACKCHANNEL_HEARD, _E.NOTHING_HEARD, _E.SAY_ORDERED, _E.TURN_EMPTY, _E.TOOL_STARTED,
       _E.TRANSFER_FAILED},
    _A.SPEAKING: _NEVER_NEWS_TO_THE_AGENT
    | {_E.CALLER_ARRIVED, _E.BACKCHANNEL_HEARD, _E.NOTHING_HEARD, _E.KEYS_ENTERED, _E.SAY_ORDERED, _E.PLAYBACK_STARTED,
       _E.TURN_EMPTY, _E.TOOL_FINISHED, _E.TRANSFER_FAILED},
    _A.SPEAKING_FIRMLY: _NEVER_NEWS_TO_THE_AGENT | _MEANINGS | _KEYS | _TOOLS
    | {_E.CALLER_ARRIVED, _E.SAY_ORDERED, _E.FIRM_PLAYBACK_STARTED, _E.TURN_EMPTY, _E.TRANSFER_FAILED},
    _A.HOLDING: _NEVER_NEWS_TO_THE_AGENT | _PLAYBACK | _TOOLS
    | {_E.CALLER_ARRIVED, _E.KEYS_ENTERED, _E.SAY_ORDERED, _E.TURN_EMPTY, _E.TRANSFER_FAILED},
    _A.SAYING_GOODBYE: _NEVER_NEWS_TO_THE_AGENT | _MEANINGS | _KEYS | _TOOLS
    | {_E.CALLER_ARRIVED, _E.SAY_ORDERED, _E.PLAYBACK_STARTED, _E.FIRM_PLAYBACK_STARTED, _E.TURN_EMPTY,
       _E.GOODBYE_STARTED, _E.TRANSFER_FAILED},
    _A.TRANSFERRING: _NEVER_NEWS_TO_THE_AGENT | _MEANINGS | _KEYS | _TOOLS | _PLAYBACK
    | {_E.CALLER_ARRIVED, _E.SAY_ORDERED, _E.TURN_EMPTY, _E.GOODBYE_STARTED, _E.TRANSFER_STARTED},
}  # fmt: skip
