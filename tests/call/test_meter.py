"""What a call takes is counted once, and what was for nothing is told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.call.inputs import (
    Input,
    ReplyFinished,
    ReplyText,
    RequestFailed,
    TokensUsed,
    TranscriptArrived,
    VoiceAudio,
)
from offhook.call.meter import Meter
from offhook.call.outputs import AskModel, CallCosted, Cancel, Output, RunTool, Synthesize, Transcribe
from offhook.call.usage import Consumption, Rates
from offhook.carrier.commands import PlayAudio
from offhook.conversation.expectation import Expectation
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall
from offhook.errors import Failure
from offhook.timebase import seconds

QUESTION = (Message(Role.USER, "a" * 36),)
"""Thirteen tokens, as we estimate."""


def transcribe(request: int, start: int, end: int, track: str = "inbound") -> Transcribe:
    return Transcribe(request, track, start, end, Expectation())


def metered(*happened: Output | Input, rates: Rates | None = None) -> Meter:
    meter = Meter(rates)
    for each in happened:
        meter.asked([each])  # type: ignore[list-item]
        meter.got(each)
    return meter


def test_a_turn_is_counted() -> None:
    meter = metered(
        transcribe(1, 8_000, 24_000),
        TranscriptArrived(1, "Hello"),
        AskModel(2, QUESTION, speculative=False),
        ReplyText(2, "Good morning."),
        Synthesize(3, "Good morning."),
        TokensUsed(2, 120, 8, 100),
        ReplyFinished(2),
        VoiceAudio(3, bytes(4_000)),
        VoiceAudio(3, bytes(4_000)),
        PlayAudio(bytes(8_000)),
        RunTool(4, ToolCall("c", "book", "{}")),
    )
    assert meter.used == Consumption(
        transcriptions=1,
        heard=16_000,
        replies=1,
        input=120,
        cached=100,
        output=8,
        speeches=1,
        characters=13,
        spoken=8_000,
        tools=1,
    )
    assert meter.wasted == Consumption()


def test_what_is_called_off_was_for_nothing() -> None:
    meter = metered(
        transcribe(1, 0, 8_000),
        Cancel(1),
        Synthesize(2, "Hello."),
        VoiceAudio(2, bytes(800)),
        Cancel(2),
        VoiceAudio(2, bytes(160)),
        Cancel(2),
    )
    assert meter.wasted == meter.used
    assert meter.used == Consumption(transcriptions=1, heard=8_000, speeches=1, characters=6, spoken=960)


def test_what_is_thrown_away_was_for_nothing_though_it_was_complete() -> None:
    meter = metered(
        AskModel(1, QUESTION, speculative=True),
        TokensUsed(1, 50, 5),
        ReplyFinished(1),
        Synthesize(2, "Yes."),
        AskModel(3, QUESTION, speculative=False),
        TokensUsed(3, 60, 6),
    )
    meter.throw_away([1, 2, 99])
    assert meter.wasted == Consumption(replies=1, input=50, output=5, speeches=1, characters=4)
    assert meter.used.input == 110


@pytest.mark.parametrize(
    ("again", "wasted"),
    [
        (transcribe(2, 0, 16_000), 1),
        (transcribe(2, 0, 8_000), 1),
        (transcribe(2, 7_000, 16_000), 0),
        (transcribe(2, 0, 16_000, "outbound"), 0),
    ],
)
def test_audio_that_is_transcribed_again_was_transcribed_for_nothing(again: Transcribe, wasted: int) -> None:
    meter = metered(transcribe(1, 0, 8_000), TranscriptArrived(1, "I would"), again)
    assert meter.wasted == Consumption(transcriptions=wasted, heard=8_000 * wasted)


def test_a_reply_that_does_not_say_what_it_took_is_estimated() -> None:
    whole = metered(AskModel(1, QUESTION, speculative=False), ReplyText(1, "b" * 10), ReplyFinished(1))
    assert whole.used == Consumption(replies=1, input=13, output=3, estimated=1)
    cut = metered(
        AskModel(1, QUESTION, speculative=True), ReplyText(1, "b" * 4), Cancel(1), TokensUsed(1, 500, 500), Cancel(1)
    )
    assert cut.used == cut.wasted == Consumption(replies=1, input=13, output=1, estimated=1)


def test_a_reply_that_never_began_cost_nothing() -> None:
    refused = RequestFailed(1, Failure.REFUSED, "no such model")
    assert metered(AskModel(1, QUESTION, speculative=False), refused).used == Consumption(replies=1)
    broken = metered(AskModel(1, QUESTION, speculative=False), ReplyText(1, "Well"), refused)
    assert broken.used == Consumption(replies=1, input=13, output=1, estimated=1)


def test_money() -> None:
    rates = Rates(input=2.0, cached=0.5, output=8.0, heard_minute=0.006)
    happened = (
        AskModel(1, QUESTION, speculative=True),
        TokensUsed(1, 1_000_000, 100_000, 400_000),
        transcribe(2, 0, 480_000),
        Cancel(2),
    )
    meter = metered(*happened, rates=rates)
    assert meter.spent == pytest.approx(1.2 + 0.2 + 0.8 + 0.006)
    costed = meter.costed(seconds(60))
    assert costed.dollars == meter.spent
    assert costed.dollars_wasted == pytest.approx(0.006)


def test_a_limit_is_passed_once() -> None:
    meter = metered(transcribe(1, 0, 480_000), rates=Rates(heard_minute=1.0))
    assert not meter.overspent(0.0)
    assert not meter.overspent(1.0)
    assert meter.overspent(0.99)
    assert not meter.overspent(0.99)
    assert not metered(transcribe(1, 0, 480_000)).overspent(0.01)


def test_without_prices_there_is_no_figure() -> None:
    meter = metered(transcribe(1, 0, 480_000))
    assert meter.spent == 0.0
    assert meter.costed(seconds(60)) == CallCosted(seconds(60), meter.used, Consumption(), None, None)


numbers = st.integers(1, 4)
events = st.one_of(
    st.builds(lambda request, end: transcribe(request, 0, end), numbers, st.integers(0, 100)),
    st.builds(lambda request: AskModel(request, QUESTION, speculative=True), numbers),
    st.builds(Synthesize, numbers, st.text(max_size=9)),
    st.builds(Cancel, numbers),
    st.builds(VoiceAudio, numbers, st.binary(max_size=9)),
    st.builds(ReplyText, numbers, st.text(max_size=9)),
    st.builds(TokensUsed, numbers, st.integers(0, 99), st.integers(0, 99), st.integers(0, 99)),
    st.builds(ReplyFinished, numbers),
)


@given(st.lists(events))
def test_waste_is_a_part_of_use(happened: list[Output | Input]) -> None:
    meter = metered(*happened)
    for name in Consumption.__struct_fields__:
        assert 0 <= getattr(meter.wasted, name) <= getattr(meter.used, name)
    assert meter.used.cached <= meter.used.input
    meter.throw_away(numbers_of(happened))
    assert meter.wasted == meter.used


def numbers_of(happened: list[Output | Input]) -> set[int]:
    return {request for each in happened if (request := getattr(each, "request", 0))}
