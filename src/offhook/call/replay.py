"""Replay: a fold over a tape's inputs, with no network, no clock and no waiting.

*Exact* replay asks for the same outputs, step by step, by their digests. *The same story* asks for less, the same
words and moves at about the same times, and so lets one recorded call be played to another configuration or another
machine's arithmetic.
"""

from collections.abc import Iterator
from typing import NamedTuple

from offhook.call.call import Call
from offhook.call.config import CallConfig
from offhook.call.inputs import Input
from offhook.call.outputs import AgentSaid, CallEnded, FlowFinished, HangUp, Output, UserSaid
from offhook.call.tape import Tape, digest
from offhook.carrier.commands import ClearAudio
from offhook.timebase import Duration, Instant, ms

Beat = UserSaid | AgentSaid | ClearAudio | FlowFinished | HangUp | CallEnded
"""An output that a story tells of."""


TOLERANCE = ms(100)


class Played(NamedTuple):
    """One step of a replay."""

    number: int
    now: Instant
    input: Input
    outputs: tuple[Output, ...]


class Difference(NamedTuple):
    """Where a replay first departs from the tape."""

    step: Played
    recorded: int
    replayed: int


def play(tape: Tape, config: CallConfig | None = None) -> Iterator[Played]:
    """Fold the tape, with its own configuration or another."""
    call = Call(config or tape.header.config)
    for number, step in enumerate(tape.steps):
        now = Instant(step.now)
        yield Played(number, now, step.input, call.handle(now, step.input))


def first_difference(tape: Tape) -> Difference | None:
    """Replay exactly. None if every step leads to what it led to when it was recorded."""
    for played, step in zip(play(tape), tape.steps, strict=True):
        if (now := digest(played.outputs)) != step.digest:
            return Difference(played, step.digest, now)
    return None


def story(tape: Tape, config: CallConfig | None = None) -> list[tuple[Instant, Beat]]:
    """What happened, without how."""
    return [(step.now, output) for step in play(tape, config) for output in step.outputs if isinstance(output, Beat)]


def same_story(
    one: list[tuple[Instant, Beat]], other: list[tuple[Instant, Beat]], tolerance: Duration = TOLERANCE
) -> bool:
    """Whether both tell of the same words and moves, in the same order, at times that differ by no more than
    `tolerance`.
    """
    return len(one) == len(other) and all(
        beat == again and abs(when - then) <= tolerance for (when, beat), (then, again) in zip(one, other, strict=True)
    )
