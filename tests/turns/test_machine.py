"""The machine follows its table: stories of two parties, and whatever chance brings."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.timebase import Instant, ms, samples, seconds
from offhook.turns.events import Event, Move
from offhook.turns.machine import TurnMachine
from offhook.turns.patience import Patience, reopens
from offhook.turns.table import Agent, Caller

E = Event


class Telling:
    """A machine on a line on which a second of sound takes a second."""

    def __init__(self, patience: Patience = Patience()) -> None:  # noqa: B008 (frozen)
        self.machine = TurnMachine(patience)
        self.now = Instant(0)
        self.moves = self.machine.handle(self.now, E.CALLER_ARRIVED)

    def hear(self, *events: Event) -> list[Move]:
        """Events at this instant."""
        self.moves = [move for event in events for move in self.machine.handle(self.now, event, self.machine.heard)]
        return self.moves

    def wait(self, milliseconds: float) -> list[Move]:
        """So much time passes, and with it sound."""
        self.now = Instant(self.now + ms(milliseconds))
        self.moves = self.machine.advance(self.now, samples(self.now))  # type: ignore[arg-type]
        return self.moves

    def stall(self, milliseconds: float) -> list[Move]:
        """So much time passes without a sound coming in."""
        self.now = Instant(self.now + ms(milliseconds))
        return self.machine.advance(self.now, self.machine.heard)

    @property
    def states(self) -> tuple[Caller, Agent]:
        return self.machine.caller, self.machine.agent


def test_a_turn() -> None:
    it = Telling()
    assert it.hear(E.SPEECH_STARTED) == []
    it.wait(1000)
    assert it.hear(E.SPEECH_STOPPED) == []
    assert it.wait(1503) == []
    assert it.wait(1) == [Move.END_TURN]
    assert it.states == (Caller.SILENT, Agent.THINKING)
    it.hear(E.PLAYBACK_STARTED)
    it.wait(2000)
    it.hear(E.PLAYBACK_FINISHED)
    assert it.states == (Caller.SILENT, Agent.LISTENING)


def test_a_pause_is_counted_in_sound() -> None:
    it = Telling()
    it.hear(E.SPEECH_STARTED)
    it.wait(500)
    it.hear(E.SPEECH_STOPPED)
    assert it.stall(60_000) == []
    assert it.machine.deadline is None


def test_a_pause_may_change_while_it_lasts() -> None:
    it = Telling()
    it.hear(E.SPEECH_STARTED, E.SPEECH_STOPPED)
    it.wait(500)
    it.machine.pause = it.machine.patience.complete
    assert it.wait(0) == [Move.END_TURN]


def test_the_pause_is_counted_from_where_speech_stopped() -> None:
    it = Telling()
    it.hear(E.SPEECH_STARTED)
    it.wait(1000)
    it.machine.handle(it.now, E.SPEECH_STOPPED, samples(ms(904)))
    assert it.wait(1504 - 96) == [Move.END_TURN]


def hold() -> Telling:
    it = Telling()
    it.hear(E.SAY_ORDERED, E.PLAYBACK_STARTED)
    it.wait(1000)
    assert it.hear(E.SPEECH_STARTED) == [Move.HOLD]
    return it


def test_a_hold_that_was_nothing() -> None:
    it = hold()
    it.wait(200)
    it.hear(E.SPEECH_STOPPED)
    assert it.hear(E.NOTHING_HEARD) == [Move.RESUME]
    assert it.states == (Caller.SILENT, Agent.THINKING)
    it.hear(E.PLAYBACK_STARTED)
    assert it.states == (Caller.SILENT, Agent.SPEAKING)


def test_a_hold_that_was_a_nod() -> None:
    it = hold()
    it.hear(E.SPEECH_STOPPED)
    assert it.hear(E.BACKCHANNEL_HEARD) == [Move.RESUME]


def test_a_hold_that_was_real() -> None:
    it = hold()
    it.wait(200)
    it.hear(E.SPEECH_STOPPED)
    assert it.hear(E.WORDS_HEARD) == [Move.INTERRUPT]
    assert it.wait(1504) == [Move.END_TURN]


def test_a_hold_that_goes_on() -> None:
    it = hold()
    assert it.wait(1503) == []
    assert it.wait(1) == [Move.INTERRUPT]
    assert it.states == (Caller.SPEAKING, Agent.LISTENING)


def test_a_hold_may_be_put_off() -> None:
    it = Telling()
    it.hear(E.SAY_ORDERED, E.PLAYBACK_STARTED)
    it.machine.hold_off = ms(640)
    assert it.hear(E.SPEECH_STARTED) == []
    assert it.wait(639) == []
    assert it.wait(1) == [Move.HOLD]


def test_a_hold_of_which_nothing_is_known_ends_by_the_clock() -> None:
    it = hold()
    it.hear(E.SPEECH_STOPPED)
    assert it.machine.deadline == it.now + it.machine.patience.verdict
    assert it.stall(1500) == [Move.RESUME]


def test_words_that_come_late_interrupt_after_all_and_are_answered_at_once() -> None:
    it = hold()
    it.hear(E.SPEECH_STOPPED)
    it.wait(1500)
    it.hear(E.PLAYBACK_STARTED)
    it.wait(500)
    assert it.hear(E.WORDS_HEARD) == [Move.INTERRUPT, Move.END_TURN]


def test_silence() -> None:
    it = Telling()
    assert it.wait(7999) == []
    assert it.wait(1) == [Move.ASK_IF_THERE]


def test_a_caller_who_asked_us_to_wait() -> None:
    it = Telling()
    it.hear(E.SPEECH_STARTED, E.SPEECH_STOPPED, E.WAIT_ASKED)
    assert it.states == (Caller.WAITING, Agent.LISTENING)
    assert it.wait(59_999) == []
    assert it.wait(1) == [Move.ASK_IF_THERE]


def test_keys_are_a_sign_of_life() -> None:
    it = Telling()
    it.wait(7900)
    it.hear(E.KEY_PRESSED)
    assert it.wait(7999) == []


def test_a_key_interrupts() -> None:
    it = Telling()
    it.hear(E.SAY_ORDERED, E.PLAYBACK_STARTED)
    assert it.hear(E.KEY_PRESSED) == [Move.INTERRUPT]
    assert hold().hear(E.KEY_PRESSED) == [Move.INTERRUPT]


def test_who_answers_by_keypad_while_speaking_does_not_interrupt_the_reply() -> None:
    it = Telling()
    it.hear(E.SPEECH_STARTED)
    it.wait(300)
    assert it.hear(E.KEYS_ENTERED, E.PLAYBACK_STARTED) == []
    assert it.states == (Caller.SILENT, Agent.SPEAKING)


def test_nobody_interrupts_what_is_said_firmly() -> None:
    it = Telling()
    it.hear(E.SAY_ORDERED, E.FIRM_PLAYBACK_STARTED)
    assert it.hear(E.SPEECH_STARTED, E.KEY_PRESSED, E.WORDS_HEARD) == []
    assert it.states == (Caller.SPEAKING, Agent.SPEAKING_FIRMLY)
    it.hear(E.PLAYBACK_STARTED)
    assert it.moves == [Move.HOLD]


def test_a_goodbye_is_the_end() -> None:
    it = hold()
    assert it.hear(E.GOODBYE_STARTED) == [Move.RESUME]
    assert it.hear(E.SPEECH_STOPPED, E.WORDS_HEARD, E.KEY_PRESSED) == []
    assert it.hear(E.PLAYBACK_FINISHED) == [Move.HANG_UP]


def test_a_transfer_that_fails() -> None:
    it = Telling()
    it.hear(E.TRANSFER_STARTED)
    assert it.wait(60_000) == []
    it.hear(E.TRANSFER_FAILED)
    assert it.states == (Caller.SILENT, Agent.LISTENING)


def test_a_tool_takes_its_time() -> None:
    it = Telling()
    it.hear(E.SPEECH_STARTED, E.SPEECH_STOPPED)
    it.wait(1504)
    it.hear(E.TOOL_STARTED)
    assert it.wait(30_000) == []
    it.hear(E.TOOL_FINISHED)
    assert it.states == (Caller.SILENT, Agent.THINKING)


def test_which_turns_are_reopened() -> None:
    patience = Patience()
    assert reopens(patience, samples(ms(700)), samples(ms(499)))
    assert not reopens(patience, samples(ms(701)), 0)
    assert not reopens(patience, 0, samples(ms(500)))


steps = st.lists(
    st.tuples(st.sampled_from(Event), st.integers(0, seconds(3)), st.booleans()),
    max_size=80,
)
patiences = st.builds(
    Patience, **{name: st.integers(0, seconds(2)) for name in Patience.__struct_fields__ if name != "none"}
)


@given(steps, patiences)
def test_whatever_happens(story: list[tuple[Event, int, bool]], patience: Patience) -> None:
    """Time and sound go on, in step or not: there is no ring, no trap, and no move after the caller has left."""
    machine = TurnMachine(patience)
    now, heard = 0, 0
    arrived = left = False
    for event, passed, stalled in story:
        now += passed
        heard += 0 if stalled else passed // 125
        before = (machine.caller, machine.agent)
        moves = machine.advance(Instant(now), heard)
        if Move.END_TURN in moves and len(moves) == 1:
            assert before == (Caller.PAUSED, Agent.LISTENING)
        moves += machine.handle(Instant(now), event, heard)
        arrived |= event is Event.CALLER_ARRIVED
        left = (left or event is Event.CALLER_LEFT) and event is not Event.CALLER_ARRIVED
        if left or not arrived:
            assert (machine.caller, machine.agent) == (Caller.ABSENT, Agent.NOT_STARTED)
            assert moves == [] or event is Event.CALLER_LEFT
        assert len(moves) <= 8
        assert machine.deadline is None or machine.deadline > now
        if machine.agent is Agent.HOLDING and machine.caller is not Caller.SPEAKING:
            assert machine.deadline is not None
    if machine.agent is Agent.HOLDING:
        late = now + seconds(10)
        moves = machine.advance(Instant(late), heard + samples(seconds(10)))
        assert moves[0] in (Move.RESUME, Move.INTERRUPT)
