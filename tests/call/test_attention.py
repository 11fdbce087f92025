"""What the caller is saying, and what was set aside."""

import pytest

from offhook.call.attention import Attention
from offhook.call.config import CallConfig
from offhook.call.inputs import TranscriptArrived
from offhook.call.listening import Turn
from offhook.call.minds import FlowMind, Mind, ModelMind
from offhook.call.outputs import Cancel, Output, Transcribe
from offhook.call.requests import Requests
from offhook.conversation.answers import Digits
from offhook.conversation.flow import Flow
from offhook.conversation.history import History
from offhook.conversation.questions import Question
from offhook.timebase import Instant
from offhook.turns.events import Event
from offhook.turns.table import Agent, Caller

NOW = Instant(0)


def attention(mind: Mind | None = None) -> tuple[Attention, list[Output]]:
    out: list[Output] = []
    config = CallConfig()
    return Attention(config, mind or ModelMind(config, History()), Requests(), out), out


def test_what_was_set_aside_and_cannot_be_transcribed_is_forgotten() -> None:
    caller, _ = attention()
    caller.started(NOW, 8_000)
    caller.stopped(NOW, 9_000, ask=True, judge=False)
    turn = caller.turn
    assert turn is not None
    caller.set_aside()
    assert caller.since == 8_000, "its transcript is still awaited"
    caller.fail(turn)
    assert caller.since == caller.listener.heard


def test_what_went_on_after_it_was_set_aside_ended_when_it_ended() -> None:
    caller, out = attention()
    caller.listener.receive(NOW, 20_000)
    caller.started(NOW, 8_000)
    turn = caller.turn
    assert turn is not None
    turn.glimpse = 1
    caller.listener._detector.speaking = True
    caller.set_aside()
    caller.listener.receive(Instant(5_000_000), 40_000)
    caller.stopped(Instant(5_000_000), 36_000, ask=False, judge=True)
    assert [output.end for output in out if isinstance(output, Transcribe)] == [36_000]
    assert turn.ended_at == 4_500_000


def test_where_nobody_asks_ahead_what_was_asked_for_is_but_the_beginning() -> None:
    caller, _ = attention()
    caller.started(NOW, 8_000)
    turn = caller.turn
    assert turn is not None
    caller.listener.heard = 12_000
    caller.ask(NOW, turn)
    caller.stopped(NOW, 16_000, ask=False, judge=False)
    assert turn.unheard
    caller.listener.heard = 17_000
    caller.ask(NOW, turn)
    assert not turn.unheard


@pytest.mark.parametrize(("surest", "event"), [(0.95, Event.WORDS_HEARD), (0.85, Event.NOTHING_HEARD)])
def test_a_short_word_that_nobody_understood_is_told_from_a_noise_by_how_sure_we_are(
    surest: float, event: Event
) -> None:
    caller, _ = attention()
    turn = Turn(8_000, 9_024, understood=False, known=True, surest=surest)
    assert caller.meaning(turn, over_us=False) is event


def asked_twice() -> tuple[Attention, Turn, list[Output]]:
    """We hold our voice; the caller paused, went on a little, and paused again: requests 1 and 2."""
    caller, out = attention()
    caller.overlap.held = True
    caller.started(NOW, 8_000)
    caller.listener.heard = 9_600
    caller.stopped(NOW, 9_344, ask=True, judge=False)
    caller.started(NOW, 9_600)
    caller.listener.heard = 10_400
    caller.stopped(NOW, 10_112, ask=True, judge=False)
    turn = caller.turn
    assert turn is not None
    return caller, turn, out


@pytest.mark.parametrize(
    ("text", "understood", "told"),
    [
        ("okay", True, [Event.BACKCHANNEL_HEARD]),
        ("", True, [Event.NOTHING_HEARD]),
        ("", False, [Event.NOTHING_HEARD]),
        ("why", True, []),
        ("stop", True, []),
    ],
)
def test_what_was_asked_for_before_a_word_had_faded_away_may_end_a_hold_and_never_interrupts(
    text: str, understood: bool, told: list[Event]
) -> None:
    caller, turn, out = asked_twice()
    early, late = [output for output in out if isinstance(output, Transcribe)]
    assert not [output for output in out if isinstance(output, Cancel)]
    said = TranscriptArrived(early.request, text, True, understood)
    assert caller.asked_for(early.request) is turn
    assert caller.look_answered(turn, said, Caller.PAUSED, Agent.HOLDING, asked=False) == told
    assert turn.request == late.request, "which has the last word"


def test_who_has_the_floor_by_then_keeps_it() -> None:
    caller, turn, _ = asked_twice()
    said = TranscriptArrived(1, "okay")
    assert caller.look_answered(turn, said, Caller.SPEAKING, Agent.LISTENING, asked=False) == []


def test_what_was_asked_for_before_more_was_said_tells_nothing_of_that() -> None:
    caller, turn, _ = asked_twice()
    caller.overlap._said = 10_112
    assert caller.look_answered(turn, TranscriptArrived(1, "okay"), Caller.PAUSED, Agent.HOLDING, asked=False) == []
    assert not turn.looks


def test_nothing_is_left_open_of_a_turn_that_is_dealt_with() -> None:
    caller, turn, out = asked_twice()
    assert caller.take() is turn
    assert [output.request for output in out if isinstance(output, Cancel)] == [1]


@pytest.mark.parametrize(("text", "again"), [("one two three", [10_000]), ("one two three four", [])])
def test_digits_that_were_asked_for_at_a_lull_are_asked_for_anew_if_some_lack_and_more_was_heard(
    text: str, again: list[int]
) -> None:
    flow = Flow(greeting="", questions=(Question("n", "Your number?", Digits(4)),), confirm="", done="Bye.")
    caller, out = attention(FlowMind(flow, CallConfig().phrases))
    caller.started(NOW, 1_000)
    caller.listener.heard = 8_000
    caller.stopped(NOW, 8_000, ask=True, judge=False)
    turn = caller.turn
    assert turn is not None
    caller.listener.heard = 10_000  # and no silence
    caller.listener.settle(NOW, turn, text, understood=True)
    out.clear()
    assert caller.lulled(NOW, turn) is bool(again)
    assert [output.end for output in out if isinstance(output, Transcribe)] == again
    assert not caller.lulled(NOW, turn), "there is no more"
