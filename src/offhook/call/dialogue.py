"""The conversation of a two-way call: what is heard becomes events, the turn table decides, and its moves are carried
out here.
"""

from collections import deque

from offhook.audio.events import Evidence, SpeechStarted
from offhook.audio.playout import Fate
from offhook.call.answering import Answering
from offhook.call.config import CallConfig
from offhook.call.inputs import (
    HangUpOrdered,
    Order,
    ReplyFinished,
    ReplyText,
    SayOrdered,
    TranscriptArrived,
    VoiceAudio,
    VoiceFinished,
)
from offhook.call.keypad import Keypad
from offhook.call.listening import Listener, Turn
from offhook.call.meaning import meaning_of
from offhook.call.minds import Draft, Mind, pause_before_words, pause_for
from offhook.call.outputs import AgentSaid, Cancel, HangUp, Output, UserSaid
from offhook.call.requests import Requests, Stage
from offhook.call.speaking import Speaker
from offhook.conversation.history import History
from offhook.timebase import Instant
from offhook.turns.events import Event, Move
from offhook.turns.machine import TurnMachine
from offhook.turns.patience import reopens
from offhook.turns.table import Agent, Caller


class Dialogue:
    """One caller and one agent. Every method takes one input and carries out all that follows from it."""

    def __init__(self, config: CallConfig, mind: Mind, history: History, requests: Requests, out: list[Output]) -> None:
        self.machine = TurnMachine(config.patience)
        self.listener = Listener("inbound", config, requests, out)
        self.speaker = Speaker(config.limits, out)
        self.answering = Answering(config, mind, history, requests, self.speaker, out)
        self.keypad = Keypad(config.limits)
        self.hung_up = False
        self._config = config
        self._mind = mind
        self._history = history
        self._requests = requests
        self._out = out
        self._turn: Turn | None = None
        """What the caller is saying, or has said and nobody has dealt with."""
        self._late: Turn | None = None
        """What was taken for nothing before its transcript came."""
        self._events: deque[tuple[Event, int | None]] = deque()
        self._orders: deque[str] = deque()
        self._keys: deque[str] = deque()

    @property
    def deadline(self) -> Instant | None:
        waits = (self.machine.deadline, self.speaker.deadline, self.keypad.deadline)
        return min((wait for wait in waits if wait is not None), default=None)

    def begin(self, now: Instant) -> None:
        """The caller is on the line."""
        self._emit(Event.CALLER_ARRIVED)
        self.speaker.measure(now)
        greeting = self._mind.greet()
        if greeting.say:
            self._emit(Event.SAY_ORDERED)
            self._carry_out(now)
            self._begin(now, greeting)
        self._carry_out(now)

    def hear(self, now: Instant, evidence: Evidence) -> None:
        """What 32 ms of the caller sound like."""
        match self.listener.hear(evidence):
            case None:
                pass
            case SpeechStarted(position):
                self._speech_started(position)
            case stopped:
                self._speech_stopped(now, stopped.position)
        self._carry_out(now)

    def transcribed(self, now: Instant, transcript: TranscriptArrived) -> None:
        """What a stretch of the caller's audio says."""
        turn = self._asked_for(transcript.request)
        assert turn is not None, "a transcript that is open belongs to a turn"
        if not transcript.final:
            self._requests.alive(now, transcript.request, self._config.limits.transcript)
            if (
                turn is self._turn
                and self.machine.agent is Agent.HOLDING
                and self._mean(transcript.text) is Event.WORDS_HEARD
            ):
                self._emit(Event.WORDS_HEARD)
        else:
            self.listener.settle(now, turn, transcript.text, understood=transcript.understood)
            if turn is self.answering.turn:
                self._answer(now)
            else:
                self._turn_known(now, turn)
        self._carry_out(now)

    def failed(self, now: Instant, request: int, stage: Stage) -> None:
        """A request will not be answered."""
        if stage is Stage.TRANSCRIPT:
            turn = self._asked_for(request)
            assert turn is not None, "a transcript that is open belongs to a turn"
            self.listener.fail(turn)
            if turn is self.answering.turn:
                self._emit_all(self.answering.apologise(now))
        else:
            self.answering.failed(now, request)
        self._carry_out(now)

    def produced(self, now: Instant, event: ReplyText | ReplyFinished | VoiceAudio | VoiceFinished) -> None:
        """Text or speech of a reply came."""
        reply = self.answering.reply_to(event.request)
        assert reply is not None, "a request that is open belongs to a reply"
        match event:
            case ReplyText(_, text):
                reply.wrote(now, text)
            case ReplyFinished():
                reply.wrote_all(now)
            case VoiceAudio(request, mulaw, words):
                reply.voiced(now, request, mulaw, words)
            case VoiceFinished(request):
                reply.voiced_all(now, request)
        self._carry_out(now)

    def reached(self, now: Instant, name: str) -> Fate:
        """A mark came back."""
        fate = self.speaker.reached(now, name)
        self._carry_out(now)
        return fate

    def pressed(self, now: Instant, key: str) -> None:
        """The caller pressed a key."""
        self._emit(Event.KEY_PRESSED)
        keys = self.keypad.press(now, key, self._mind.expects)
        if keys:
            self._keys.append(keys)
        self._carry_out(now)

    def ordered(self, now: Instant, order: Order) -> None:
        """Somebody outside wants something said, or the call to end."""
        match order:
            case SayOrdered(text):
                self._orders.append(text)
            case HangUpOrdered(text):
                self._end(now, Draft(say=text, outcome="ordered"))
        self._carry_out(now)

    def end_politely(self, now: Instant, words: str, reason: str) -> None:
        """The call has to end, whoever has the floor."""
        self._end(now, Draft(say=words, outcome=reason))
        self._carry_out(now)

    def tick(self, now: Instant) -> None:
        """It is so late now."""
        if self.keypad.deadline is not None and self.keypad.deadline <= now:
            self._keys.append(self.keypad.take())
        if self.speaker.deadline is not None and self.speaker.deadline <= now:
            self.speaker.give_up_mark()
        self._carry_out(now)

    def line(self, now: Instant, *, stalled: bool) -> None:
        """Audio stopped coming, or comes again."""
        self._emit(Event.LINE_STALLED if stalled else Event.LINE_RESUMED)
        self._carry_out(now)

    def leave(self, now: Instant) -> None:
        """The caller is gone: put down what was said and heard, and let everything go."""
        words = self.speaker.abandon(now)
        self._said(words, complete=False)
        if self._turn is not None and self._turn.known and self._turn.text:
            self._history.user(self._turn.text)
            self._out.append(UserSaid(self._turn.text))
        self._turn = self._late = None
        self._events.clear()
        self.machine.handle(now, Event.CALLER_LEFT)
        for request in self._requests.numbers:
            self._requests.close(request)
            self._out.append(Cancel(request))

    # From what is heard to events.

    def _speech_started(self, position: int) -> None:
        if self._turn is None:
            self._turn = Turn(position, position)
        else:
            self.listener.withdraw(self._turn)
        self.answering.forget_guess()
        self.machine.pause = pause_before_words(self._mind, self._config)
        self._emit(Event.SPEECH_STARTED, position)

    def _speech_stopped(self, now: Instant, position: int) -> None:
        self._emit(Event.SPEECH_STOPPED, position)
        if self._turn is None:
            return
        self._turn.end = position
        self._turn.ended_at = self.listener.received_at(position)
        if self._config.speculate or self.machine.agent is not Agent.LISTENING:
            self.listener.ask(now, self._turn, self._mind.expects)

    def _turn_known(self, now: Instant, turn: Turn) -> None:
        """The transcript of something that nobody has dealt with, or that was taken for nothing, is here."""
        event = self._mean(turn.text) if turn.understood else self._mean_unclear(turn)
        if turn is self._late:
            self._late = None
            if event in (Event.WORDS_HEARD, Event.WAIT_ASKED) and self._turn is None:
                self._turn = turn
        self.machine.pause = pause_for(self._mind, turn.text, self._config)
        self._emit(event)
        self._carry_out(now)
        if turn is not self._turn:
            return
        if event is Event.NOTHING_HEARD:
            self._turn = None
        elif event is Event.WAIT_ASKED:
            self._history.user(turn.text)
            self._out.append(UserSaid(turn.text))
            self._turn = None
        elif self._config.speculate and (self.machine.caller, self.machine.agent) == (Caller.PAUSED, Agent.LISTENING):
            self.answering.guess(now, turn)

    def _mean(self, text: str) -> Event:
        return meaning_of(
            text, self._config.language, over_us=self.machine.agent is not Agent.LISTENING, mind=self._mind
        )

    def _mean_unclear(self, turn: Turn) -> Event:
        """Something was said, and nobody knows what: long enough for a word, and for several where it was said over
        us.
        """
        enough = 2_400 if self.machine.agent is Agent.LISTENING else 4_800
        return Event.WORDS_HEARD if turn.end - turn.start >= enough else Event.NOTHING_HEARD

    def _asked_for(self, request: int) -> Turn | None:
        turns = (self._turn, self._late, self.answering.turn)
        return next((turn for turn in turns if turn is not None and turn.request == request), None)

    # From events to moves, and what they mean.

    def _emit(self, event: Event, position: int | None = None) -> None:
        self._events.append((event, position))

    def _emit_all(self, events: list[Event]) -> None:
        for event in events:
            self._emit(event)

    def _carry_out(self, now: Instant) -> None:
        """Let everything follow that follows, in order, until nothing more does."""
        while True:
            if self._events:
                event, position = self._events.popleft()
                moves = self.machine.handle(now, event, position)
            else:
                moves = self.machine.advance(now, self.listener.heard)
            for move in moves:
                self._perform(now, move)
            if not self._events and not moves and not self._speak(now) and not self._offer_floor(now):
                return

    def _perform(self, now: Instant, move: Move) -> None:
        match move:
            case Move.END_TURN:
                self._end_turn(now)
            case Move.HOLD:
                self.speaker.hold(now)
            case Move.RESUME:
                self._resume(now)
            case Move.INTERRUPT:
                self._interrupt(now)
            case Move.ASK_IF_THERE:
                self._begin(now, self._mind.silent())
            case Move.HANG_UP:
                self._hang_up()

    def _end_turn(self, now: Instant) -> None:
        turn, self._turn = self._turn, None
        self._forget_late()
        if turn is None:
            self._emit(Event.TURN_EMPTY)
            return
        self.answering.confirm(now, turn)
        if turn.failed:
            self._emit_all(self.answering.apologise(now))
        elif turn.known:
            self._answer(now)
        elif turn.request is None:
            self.listener.ask(now, turn, self._mind.expects)

    def _answer(self, now: Instant) -> None:
        self._emit_all(self.answering.answer(now))

    def _resume(self, now: Instant) -> None:
        self._forget_late()
        if self._turn is not None and self._turn.request is not None:
            self._late = self._turn
        self._turn = None
        if self.speaker.resume(now):
            self._emit(Event.PLAYBACK_STARTED)
        elif self.speaker.reply is None and self.answering.turn is None:
            self._emit(Event.TURN_EMPTY)

    def _interrupt(self, now: Instant) -> None:
        heard = self.speaker.heard(now)
        before, turn = self.answering.turn, self._turn
        if (
            before is None
            or turn is None
            or not (heard == 0 or reopens(self._config.patience, turn.start - before.end, heard))
        ):
            self._stop_speaking(now)
            return
        # The turn that was answered was not over: both halves are one, and are transcribed as one.
        words = self.speaker.stop(now)
        if words:
            self._out.append(AgentSaid(words, complete=False))
        self.listener.withdraw(before)
        self.answering.retract()
        turn.start = before.start
        self.machine.pause = pause_before_words(self._mind, self._config)
        if self.machine.caller is Caller.SPEAKING:
            self.listener.withdraw(turn)
        else:
            self.listener.ask(now, turn, self._mind.expects)

    def _stop_speaking(self, now: Instant) -> None:
        words = self.speaker.stop(now)
        self._said(words, complete=False)
        self.answering.over()

    def _speak(self, now: Instant) -> bool:
        """Play what may be played; see whether the reply is over. True if that is an event."""
        if self.speaker.pump(now):
            self.answering.began(now)
            self._emit(Event.PLAYBACK_STARTED)
            return True
        reply = self.speaker.reply
        if reply is None or not self.speaker.finished:
            return False
        if reply.silent and reply.draft.outcome:
            self._hang_up()
            return False
        if reply.silent:
            self.speaker.finish()
            self._emit_all(self.answering.apologise(now))
            return True
        self._said(self.speaker.finish(), complete=not reply.broken)
        if reply.broken and not reply.draft.outcome:
            self._emit_all(self.answering.apologise(now))
        else:
            self.answering.over()
            self._emit(Event.PLAYBACK_FINISHED)
        return True

    def _offer_floor(self, now: Instant) -> bool:
        """Whoever waits for the floor gets it when it is free."""
        if self.machine.agent is not Agent.LISTENING:
            return False
        if self._keys:
            if self._turn is not None and self.machine.caller is not Caller.SPEAKING:
                self.listener.withdraw(self._turn)
                self._turn = None
            self.answering.forget_guess()
            self._emit(Event.KEYS_ENTERED)
            self._begin(now, self._mind.keyed(self._keys.popleft()))
            return True
        if self._orders and self.machine.caller in (Caller.SILENT, Caller.WAITING):
            self._emit(Event.SAY_ORDERED)
            self._begin(now, Draft(say=self._orders.popleft()))
            return True
        return False

    def _begin(self, now: Instant, draft: Draft) -> None:
        self._emit_all(self.answering.say(now, draft))

    def _said(self, words: str, *, complete: bool) -> None:
        if words:
            self._history.agent(words)
            self._out.append(AgentSaid(words, complete))

    def _forget_late(self) -> None:
        if self._late is not None:
            self.listener.withdraw(self._late)
            self._late = None

    def _end(self, now: Instant, draft: Draft) -> None:
        self._stop_speaking(now)
        if draft.say:
            self._begin(now, draft)
        else:
            self.answering.outcome = draft.outcome
            self._hang_up()

    def _hang_up(self) -> None:
        if not self.hung_up:
            self.hung_up = True
            self._out.append(HangUp(self.answering.outcome))
