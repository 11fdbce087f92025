"""How long turn-taking waits, and for what."""

from offhook.timebase import Duration, lasting, ms, seconds
from offhook.values import Value


class Patience(Value, frozen=True):
    """Waits in microseconds, each named by a rule of the joint table.

    `complete`, `pause` and `unfinished` are the ends of two scales. A turn whose words are a sentence ends between
    `complete`, if the voice has come to rest, and `pause`, if it has not; one of whose words nothing is known, or which
    is but a piece of a sentence, between `pause` and `unfinished`. Where they stand: docs/theory/turn-taking.md.
    """

    complete: Duration = ms(384)
    """Silence that ends a turn whose words answer the question. People leave 200 ms between turns; speech detectors
    take 100 ms to believe in silence, and a transcript comes no sooner either."""
    pause: Duration = ms(1504)
    """Silence that ends a turn when it is open whether it is over. One in ten pauses inside of turns is longer. With
    models and voices that take a second, which is spent meanwhile, nobody waits longer for it."""
    unfinished: Duration = ms(2304)
    """Silence that ends a turn whose words cannot be the end of a sentence, or a number of which digits are missing.
    One in fifty pauses inside of turns is longer."""
    dictation: Duration = ms(1760)
    """Silence that ends digits or letters of which nobody knows how many will come. Groups are up to 1.5 s apart, and a
    last sound may be so soft (the s of "six") that the pause seems 150 ms longer."""
    hold: Duration = Duration(0)
    """Speech over us before we hold; the detector has waited for 64 ms of evidence already."""
    overlap: Duration = ms(1504)
    """Speech over us that is taken to be an interruption before a word of it is known. We hold meanwhile, so nobody is
    kept waiting by it; a transcript of the first half second has a second to come."""
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
    caption: Duration = ms(704)
    """Silence that ends a caption, where we only listen and nobody waits for an answer."""
    none: Duration = Duration(0)


def reopens(patience: Patience, gap: int, heard: int) -> bool:
    """Whether speech that starts `gap` samples after a turn's end, with `heard` samples of the reply heard, continues
    that turn.
    """
    return lasting(gap) <= patience.reopen and lasting(heard) < patience.reopen_heard
