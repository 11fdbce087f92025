"""TwiML: what is built is a document that Twilio accepts, whatever goes into it."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.carrier.twilio import twiml
from offhook.carrier.twilio.messages import WAY
from offhook.errors import ConfigurationError

URL = "wss://example.com/twilio/stream"


def test_answer_connects_both_ways_and_has_something_to_say_if_we_die() -> None:
    text = twiml.answer(URL, {"from": "+15550100", "offhook.token": "t"}, fallback="Sorry & goodbye.")
    response = ElementTree.fromstring(text)
    assert [verb.tag for verb in response] == ["Connect", "Say", "Hangup"]
    (stream,) = response[0]
    assert (stream.tag, stream.attrib) == ("Stream", {"url": URL})
    assert {p.attrib["name"]: p.attrib["value"] for p in stream} == {
        "from": "+15550100",
        "offhook.token": "t",
        WAY: "two",
    }
    assert response[1].text == "Sorry & goodbye."


def test_answer_with_callbacks() -> None:
    text = twiml.answer(URL, {}, fallback="x", status_callback="https://e.com/s", action="https://e.com/after")
    response = ElementTree.fromstring(text)
    assert response[0].attrib == {"action": "https://e.com/after"}
    assert response[0][0].attrib == {"url": URL, "statusCallback": "https://e.com/s"}


@pytest.mark.parametrize(("both", "track"), [(True, "both_tracks"), (False, "inbound_track")])
def test_listen_goes_on_with_the_call(both: bool, track: str) -> None:
    text = twiml.listen(URL, {"a": "b"}, both_tracks=both, say="Hello", dial="+15550100", pause=9)
    response = ElementTree.fromstring(text)
    assert [verb.tag for verb in response] == ["Start", "Say", "Dial", "Pause"]
    stream = response[0][0]
    assert stream.attrib == {"url": URL, "track": track}
    assert {p.attrib["name"]: p.attrib["value"] for p in stream} == {"a": "b", WAY: "one"}
    with pytest.raises(ConfigurationError, match="meanwhile"):
        twiml.listen(URL, {}, both_tracks=both)


@pytest.mark.parametrize(
    ("to", "noun"), [("+15550100", "Number"), ("sip:desk@example.com", "Sip"), ("SIPS:desk@example.com", "Sip")]
)
def test_dial_rings_a_number_or_a_sip_address(to: str, noun: str) -> None:
    text = twiml.dial(to, action="https://e.com/dialled", ring=20, status_callback="https://e.com/s")
    (line,) = ElementTree.fromstring(text)
    assert line.tag == "Dial"
    assert line.attrib == {"action": "https://e.com/dialled", "timeout": "20", "answerOnBridge": "true"}
    (party,) = line
    assert (party.tag, party.text) == (noun, to)
    assert party.attrib == {"statusCallback": "https://e.com/s", "statusCallbackEvent": "answered"}
    with pytest.raises(ConfigurationError, match="absolute"):
        twiml.dial(to, action="ftp://e.com/dialled", ring=20, status_callback="https://e.com/s")


def test_short_answers() -> None:
    assert [verb.tag for verb in ElementTree.fromstring(twiml.hang_up())] == ["Hangup"]
    said = ElementTree.fromstring(twiml.say_and_hang_up("All lines are busy <sorry>."))
    assert [(verb.tag, verb.text) for verb in said] == [("Say", "All lines are busy <sorry>."), ("Hangup", None)]
    assert ElementTree.fromstring(twiml.reject())[0].attrib == {"reason": "busy"}
    out = twiml.reject(twiml.Rejection.OUT_OF_SERVICE)
    assert ElementTree.fromstring(out)[0].attrib == {"reason": "rejected"}


@given(name=st.text(min_size=1, max_size=50), value=st.text(max_size=200), words=st.text())
def test_any_text_survives_or_is_replaced(name: str, value: str, words: str) -> None:
    if not twiml.fits(name, value):
        return
    response = ElementTree.fromstring(twiml.answer(URL, {name: value}, fallback=words))
    legal = re.compile("[\ud800-\udfff\ufffe\uffff\x00-\x08\x0b\x0c\x0e-\x1f]")
    parameter = response[0][0][0].attrib
    assert parameter == {"name": legal.sub("\ufffd", name), "value": legal.sub("\ufffd", value)}
    assert (response[1].text or "").replace("\r", "\n") == legal.sub("\ufffd", words).replace("\r\n", "\n").replace(
        "\r", "\n"
    )


def test_a_parameter_that_does_not_fit_is_refused() -> None:
    assert twiml.fits("from", "x" * 495)
    assert not twiml.fits("from", "x" * 496)
    assert not twiml.fits(WAY, "two")
    assert not twiml.fits("", "x")
    with pytest.raises(ConfigurationError, match="'from' does not fit"):
        twiml.answer(URL, {"from": "x" * 496}, fallback="x")


@pytest.mark.parametrize(
    "url", [URL, "wss://example.com", "ws://127.0.0.1:8080/twilio/stream", "ws://localhost/x", "ws://[::1]:8080/x"]
)
def test_addresses_that_can_be_streamed_to(url: str) -> None:
    twiml.check_stream_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/twilio/stream",
        "https://example.com/x",
        "ws://example.com/x",
        "ws://127.0.0.1.example.com/x",
        "wss:///x",
        "wss://example.com/x?token=1",
        "wss://example.com/x#y",
        "wss://example.com/x?",
        "wss://example.com:99999/x",
        "wss://[::1/x",
        "wss://exam ple.com/x",
        "wss://example.com/\x00",
    ],
)
def test_addresses_that_cannot(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        twiml.answer(url, {}, fallback="x")
    assert "\n" not in str(refused.value)


@given(st.text())
def test_any_address_is_accepted_or_refused_in_one_line(url: str) -> None:
    refused = ""
    try:
        twiml.check_stream_url(url)
    except ConfigurationError as error:
        refused = str(error)
    assert len(refused.splitlines()) == (1 if refused else 0)


def test_a_callback_must_be_absolute() -> None:
    with pytest.raises(ConfigurationError, match="address"):
        twiml.answer(URL, {}, fallback="x", status_callback="/status")
    with pytest.raises(ConfigurationError, match="absolute"):
        twiml.answer(URL, {}, fallback="x", action="wss://example.com/after")


@pytest.mark.parametrize(("to", "kind"), [("+4930123456", "Number"), ("sip:desk@example.com", "Sip")])
def test_a_call_that_is_passed_on_is_nobodys_affair_afterwards(to: str, kind: str) -> None:
    (dial,) = ElementTree.fromstring(twiml.pass_on(to, ring=30))
    (party,) = dial
    assert (dial.tag, dial.attrib) == ("Dial", {"answerOnBridge": "true", "timeout": "30"})
    assert (party.tag, party.text, party.attrib) == (kind, to, {})


def test_a_queue_is_named() -> None:
    (enqueue,) = ElementTree.fromstring(twiml.enqueue("a & b"))
    assert (enqueue.tag, enqueue.text) == ("Enqueue", "a & b")
