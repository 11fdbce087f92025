"""What a call is told for which there is no line."""

from xml.etree import ElementTree

import pytest
from doors import AGENT, ids, ringing, run
from hypothesis import given
from hypothesis import strategies as st
from test_webhooks import calling

from offhook.errors import ConfigurationError
from offhook.server import metrics
from offhook.server.answers import BUSY
from offhook.server.overflow import overflow


@pytest.mark.parametrize(
    ("wanted", "verb", "text"),
    [
        ("say", "Say", BUSY),
        ("say: Call again at 9:00.", "Say", "Call again at 9:00."),
        ("queue:patience", "Enqueue", "patience"),
        ("dial:+4930123456", "Number", "+4930123456"),
        ("dial:sip:desk@example.com", "Sip", "sip:desk@example.com"),
    ],
)
def test_each_way(wanted: str, verb: str, text: str) -> None:
    found = ElementTree.fromstring(overflow(wanted)).find(f".//{verb}")
    assert found is not None
    assert found.text == text


def test_a_busy_tone_costs_nothing() -> None:
    assert '<Reject reason="busy"' in overflow("reject")


@pytest.mark.parametrize("wanted", ["", "say:", "queue", "queue:", "dial: ", "reject:busy", "hang up"])
def test_what_makes_no_sense_is_one_line(wanted: str) -> None:
    with pytest.raises(ConfigurationError, match='OFFHOOK_OVERFLOW must be "say"'):
        overflow(wanted)


@given(st.text(min_size=1).filter(str.strip))
def test_whatever_is_said_is_xml(words: str) -> None:
    ElementTree.fromstring(overflow(f"say:{words}"))
    ElementTree.fromstring(overflow(f"queue:{words}"))


def test_one_call_too_many_is_told_so() -> None:
    async def scenario() -> None:
        async with calling(AGENT, max_calls=1, overflow="reject") as (client, phone):
            for number, verb in ((1, "<Connect"), (2, "<Reject"), (3, "<Reject")):
                assert verb in (await client.post("/twilio/voice", data=ringing(number))).text
            await client.post("/twilio/status", data={"CallSid": ids(1)[0], "CallStatus": "completed"})
            assert "<Connect" in (await client.post("/twilio/voice", data=ringing(2))).text
            assert b'offhook_refused_total{reason="busy"} 2.0' in phone.state.exchange.metrics.text()

    run(scenario())


def test_a_late_event_loop_takes_no_new_calls_until_it_has_caught_up() -> None:
    async def scenario() -> None:
        async with calling(AGENT, max_lateness=0.05) as (client, phone):
            figures: metrics.Metrics = phone.state.exchange.metrics
            for late, served in ((0.2, False), (0.01, True)):
                for _ in range(metrics.RECENT):
                    figures.took(late)
                answer = await client.post("/twilio/voice", data=ringing())
                assert ("<Connect" in answer.text) is served
                assert phone.state.exchange.late is not served
            assert b'offhook_refused_total{reason="late"} 1.0' in figures.text()

    run(scenario())


def test_one_long_step_is_not_lateness() -> None:
    figures = metrics.Metrics()
    for _ in range(metrics.RECENT // 2 - 1):
        figures.took(1.0)
    assert figures.lateness == 0, "too little is known"
    for _ in range(metrics.RECENT):
        figures.took(0.001)
    figures.took(2.0)
    assert figures.lateness == 0.001
