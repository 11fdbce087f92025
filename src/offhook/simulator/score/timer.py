"""The plain silence timer on the same sound: what a policy that knows nothing but a voice detector would have done.

It takes a chunk for speech from a probability of 0.5 on, ends a turn when it has heard none for a fixed time, and
stops speaking on two such chunks in a row. Strict accounting: a timer that fires inside a pause has cut in, a turn
whose end is not seen pays the whole wait.
"""

from collections.abc import Sequence

from offhook.audio.events import CHUNK, Evidence
from offhook.simulator.ledger import Span

SPEECH = 0.5
_ENOUGH = 2


def quiet(evidence: Sequence[Evidence], hold: Span) -> int:
    """The longest stretch without speech, in samples, that begins before a pause is over: a shorter timer fires."""
    longest = run = 0
    for it in evidence:
        if it.position + CHUNK <= hold.start - CHUNK:
            continue
        if it.speech >= SPEECH:
            if it.position >= hold.end:
                break
            run = 0
        else:
            run += CHUNK
            longest = max(longest, run)
    return longest


def tail(evidence: Sequence[Evidence], end: int, until: int) -> int:
    """By how many samples the last chunk of speech outlasts the end of a turn."""
    last = [it.position + CHUNK for it in evidence if it.speech >= SPEECH and end - 4_000 < it.position < until]
    return (last[-1] if last else end) - end


def stops(evidence: Sequence[Evidence], start: int, end: int) -> int | None:
    """After how many samples it stops speaking because of what is heard between two positions; None: it does not."""
    run = 0
    for it in evidence:
        if start - CHUNK < it.position < end:
            run = run + 1 if it.speech >= SPEECH else 0
            if run == _ENOUGH:
                return max(0, it.position + CHUNK - start)
    return None
