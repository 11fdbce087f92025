"""What the caller is saying, and what was set aside."""

import pytest

from offhook.call.attention import Attention
from offhook.call.config import CallConfig
from offhook.call.listening import Turn
from offhook.call.minds import ModelMind
from offhook.call.outputs import Output, Transcribe
from offhook.call.requests import Requests
from offhook.conversation.history import History
from offhook.timebase import Instant
from offhook.turns.events import Event

NOW = Instant(0)


def attention() -> tuple[Attention, list[Output]]:
    out: list[Output] = []
    config = CallConfig()
    return Attention(config, ModelMind(config, History()), Requests(), out), out


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
    turn.glimpsed = True
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
