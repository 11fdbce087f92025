"""Drive the turn-taking table. Pure: no clock, no task, no log."""

from offhook.timebase import Duration, Instant, after, lasting
from offhook.turns.events import Event, Move
from offhook.turns.patience import Patience
from offhook.turns.table import AGENT, CALLER, JOINT, Agent, Caller, Clock, Rule, Since


class TurnMachine:
    """Two parties, each in one state; `pause` is the wait that ends the present turn, which its owner may change at
    any time.
    """

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.pause: Duration = patience.pause
        self.hold_off = Duration(0)
        """Speech over us must go on for so long, whatever `patience` says, before we hold; its owner may change it."""
        self.caller = Caller.ABSENT
        self.agent = Agent.NOT_STARTED
        self.heard = 0
        """Samples of the caller's audio whose content is known. What was lost on the way is not counted."""
        self.speech_started = 0
        self.speech_stopped = 0
        self._enter(Instant(0))

    @property
    def deadline(self) -> Instant | None:
        """When the present states end by themselves, if that depends on time alone."""
        if self._rule is None or self._rule.clock is not Clock.NOW:
            return None
        return after(self._entered_at, self._wait(self._rule))

    def handle(self, now: Instant, event: Event, at: int | None = None) -> list[Move]:
        """Take one event; `at` is the value that `heard` had where speech started or stopped. Returns what has to be
        done, in order.
        """
        if event is Event.SPEECH_STARTED and at is not None:
            self.speech_started = at
        elif event is Event.SPEECH_STOPPED and at is not None:
            self.speech_stopped = at
        before = (self.caller, self.agent)
        moves: list[Move] = []
        step = AGENT.get((self.agent, event))
        self.caller = CALLER.get((self.caller, event), self.caller)
        if step is not None:
            self.agent = step.to
            if step.move is not None:
                moves.append(step.move)
        # A key press is a sign of life: whoever types is not asked whether they are there.
        if (self.caller, self.agent) != before or event is Event.KEY_PRESSED:
            self._enter(now)
        return moves + self.advance(now, self.heard)

    def advance(self, now: Instant, heard: int) -> list[Move]:
        """Let time pass: `heard` samples of the caller's audio are known, and it is `now`."""
        if heard > self.heard:
            self.heard = heard
        moves: list[Move] = []
        while (rule := self._rule) is not None and self._due(rule, now):
            self.caller, self.agent = rule.caller, rule.agent
            self._enter(now)
            if rule.move is not None:
                moves.append(rule.move)
        return moves

    def _enter(self, now: Instant) -> None:
        self._entered_at, self._entered_heard = now, self.heard
        self._rule = JOINT.get((self.caller, self.agent))

    def _due(self, rule: Rule, now: Instant) -> bool:
        wait = self._wait(rule)
        if rule.clock is Clock.NOW:
            return now >= after(self._entered_at, wait)
        match rule.since:
            case Since.ENTERED:
                begin = self._entered_heard
            case Since.SPEECH_STARTED:
                begin = self.speech_started
            case Since.SPEECH_STOPPED:
                begin = self.speech_stopped
        return lasting(self.heard - begin) >= wait

    def _wait(self, rule: Rule) -> Duration:
        if rule.wait == "pause":
            return self.pause
        wait: Duration = getattr(self.patience, rule.wait)
        return max(wait, self.hold_off) if rule.wait == "hold" else wait
