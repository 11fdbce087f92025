"""How long turn-taking waits, and for what."""

from offhook.timebase import Duration, lasting, ms, seconds
from offhook.values import Value


class Patience(Value, frozen=True):
    """Waits in microseconds, each named by a rule of the joint table.

    The end-of-turn waits are those that facts about real calls suggest: 300 to 400 ms once a complete answer has been
    given, 700 ms by default, 1,200 to 1,500 ms while somebody dictates or has stopped at an "and" or "um".
    """

    pause: Duration = ms(704)
    """Silence that ends a turn, when nothing more is known about it."""
    complete: Duration = ms(384)
    """Silence that ends a turn whose words answer the question."""
    unfinished: Duration = ms(1408)
    """Silence that ends a turn whose words cannot be the end of a sentence, or a number of which digits are missing."""
    hold: Duration = Duration(0)
    """Speech over us before we hold; the detector has waited for 64 ms of evidence already."""
    overlap: Duration = ms(896)
    """Speech over us that is taken to be an interruption before a word of it is known."""
    verdict: Duration = ms(1500)
    """How long a hold waits for a transcript before it resumes."""
    idle: Duration = seconds(8)
    """Silence of both before we ask whether somebody is there."""
    first: Duration = seconds(4)
    """How long we wait for the other side's first words, where they are to speak first."""
    away: Duration = seconds(60)
    """The same when the caller has asked us to wait."""
    reopen: Duration = ms(700)
    """How soon after the end of a turn a caller who goes on is taken to continue it."""
    reopen_heard: Duration = ms(500)
    """How much of our reply may have been heard for a turn to be re-opened."""
    none: Duration = Duration(0)


def reopens(patience: Patience, gap: int, heard: int) -> bool:
    """Whether speech that starts `gap` samples after a turn's end, with `heard` samples of the reply heard, continues
    that turn.
    """
    return lasting(gap) <= patience.reopen and lasting(heard) < patience.reopen_heard
