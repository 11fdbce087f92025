"""What a simulated call showed, read at the caller's ear and mouth alone.

The definitions are those of telephone quality: the *response delay* runs from the last sample of the caller's
utterance to the first audible sample of the reply; a *cut-in* is a reply that begins while the utterance is
unfinished; the *stop time* runs from the first sample of an utterance over the agent to the agent's last audible one;
*stale* is what is still heard after the server's `clear` while the caller goes on.
"""

from dataclasses import dataclass

from offhook.simulator.ledger import Ledger, Span
from offhook.simulator.phone import Cleared, Identity, Phone
from offhook.simulator.playout import MarkReturned
from offhook.timebase import SAMPLE_US, Duration, Instant, lasting
from offhook.values import Value


class Said(Value, frozen=True):
    """The caller said something; leading and trailing silence are not part of it."""

    start: Instant
    end: Instant
    label: str


class Pressed(Value, frozen=True):
    """The caller pressed a key."""

    at: Instant
    digit: str


class Deed(Value, frozen=True):
    """The carrier did something besides carrying sound: it dialled, or spoke itself."""

    at: Instant
    words: str


class Turn(Value, frozen=True):
    """How the agent dealt with one utterance. None: it did not come to that.

    `cut_in` is how long before the utterance's end the agent began to speak, `stop_time` how long it went on when the
    caller spoke over it, `stale` how long it was heard after it had cleared what it was saying.
    """

    said: Said
    response_delay: Duration | None
    cut_in: Duration | None
    stop_time: Duration | None
    stale: Duration


@dataclass(frozen=True, slots=True)
class CallReport:
    """One call. `ear` and `mouth` hold every sample that the caller heard and said."""

    identity: Identity
    said: tuple[Said, ...]
    pressed: tuple[Pressed, ...]
    cleared: tuple[Cleared, ...]
    marks: tuple[MarkReturned, ...]
    ear: Ledger
    mouth: Ledger
    ended_by: str
    """The "caller" or the "server"."""
    ended_at: Instant
    problems: tuple[str, ...]
    """Everything that a carrier would complain of. A good server leaves it empty."""
    lateness: tuple[int, ...]
    """How late each frame left, in microseconds; zero in virtual time."""
    carrier: tuple[Deed, ...] = ()
    """What the carrier did besides, because TwiML told it to."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        """One for each utterance."""
        agent = self.ear.audible()
        ends = [said.start for said in self.said[1:]] + [self.ended_at]
        return tuple(self._turn(said, Instant(until), agent) for said, until in zip(self.said, ends, strict=False))

    def _turn(self, said: Said, until: Instant, agent: list[Span]) -> Turn:
        onsets = [at for at in (_instant(span.start) for span in agent) if said.start < at <= max(until, said.end)]
        early = [at for at in onsets if at < said.end]
        replies = [at for at in onsets if at >= said.end]
        over = [_instant(span.end) for span in agent if _instant(span.start) <= said.start < _instant(span.end)]
        return Turn(
            said,
            response_delay=Duration(replies[0] - said.end) if replies else None,
            cut_in=Duration(said.end - early[0]) if early else None,
            stop_time=Duration(over[0] - said.start) if over else None,
            stale=self._stale(said) if over else Duration(0),
        )

    def _stale(self, said: Said) -> Duration:
        clears = [cleared.at for cleared in self.cleared if said.start <= cleared.at < said.end]
        if not clears:
            return Duration(0)
        start, end = -(-clears[0] // SAMPLE_US), said.end // SAMPLE_US
        heard = self.ear.audible(Duration(0), start)
        return lasting(sum(min(span.end, end) - span.start for span in heard if span.start < end))

    @property
    def story(self) -> tuple[str, ...]:
        """What happened, in order, a line each."""
        events = [(_instant(it.start), f"agent speaks for {_samples(it.end - it.start)}") for it in self.ear.audible()]
        events += [(it.start, f"caller says {it.label!r} for {_seconds(it.end - it.start)}") for it in self.said]
        events += [(pressed.at, f"caller presses {pressed.digit}") for pressed in self.pressed]
        events += [(it.at, f"server clears {_samples(it.flushed)} of audio") for it in self.cleared]
        events += [(deed.at, f"carrier {deed.words}") for deed in self.carrier]
        events.append((self.ended_at, f"{self.ended_by} ends the call"))
        return tuple(f"{at / 1e6:9.3f} s  {words}" for at, words in sorted(events))


def report(phone: Phone, said: list[Said], pressed: list[Pressed], deeds: list[Deed]) -> CallReport:
    """The report of a call that is over."""
    assert phone.ended_at is not None, "the call is not over"
    problems = list(phone.violations)
    if phone.buffer.refused:
        problems.append(f"31931: {_samples(phone.buffer.refused)} of audio came on top of ten minutes")
    return CallReport(
        identity=phone.identity,
        said=tuple(said),
        pressed=tuple(pressed),
        cleared=tuple(phone.cleared),
        marks=tuple(phone.marks),
        ear=phone.ear,
        mouth=phone.said,
        ended_by=phone.ended_by,
        ended_at=phone.ended_at,
        problems=tuple(problems),
        lateness=tuple(phone.lateness),
        carrier=tuple(deeds),
    )


def _instant(position: int) -> Instant:
    return Instant(position * SAMPLE_US)


def _seconds(duration: int) -> str:
    return f"{duration / 1e6:.2f} s"


def _samples(count: int) -> str:
    return _seconds(lasting(count))
