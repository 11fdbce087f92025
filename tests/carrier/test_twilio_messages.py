"""The wire schema: what Twilio's documentation shows is read, and what we send is what it shows."""

import base64
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.carrier.twilio import messages
from offhook.carrier.twilio.messages import decode_command, decode_message
from offhook.errors import CarrierError

STREAM = "MZ18ad3ab5a668481ce02b83e7395059f0"
CALL = "CA123e4567e89b12d3a456426614174000"
ACCOUNT = "AC123e4567e89b12d3a456426614174000"

DOCUMENTED = [
    ("connected", messages.connected(), {"event": "connected", "protocol": "Call", "version": "1.0.0"}),
    (
        "start",
        messages.start(STREAM, CALL, ACCOUNT, parameters={"from": "+15550100"}),
        {
            "event": "start",
            "sequenceNumber": "1",
            "streamSid": STREAM,
            "start": {
                "accountSid": ACCOUNT,
                "streamSid": STREAM,
                "callSid": CALL,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": {"from": "+15550100"},
            },
        },
    ),
    (
        "media",
        messages.media(STREAM, b"\xff\x7f", sequence=3, chunk=1, timestamp=5),
        {
            "event": "media",
            "sequenceNumber": "3",
            "streamSid": STREAM,
            "media": {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": "/38="},
        },
    ),
    (
        "dtmf",
        messages.dtmf(STREAM, "1", sequence=5),
        {
            "event": "dtmf",
            "sequenceNumber": "5",
            "streamSid": STREAM,
            "dtmf": {"track": "inbound_track", "digit": "1"},
        },
    ),
    (
        "mark",
        messages.mark(STREAM, "label", sequence=4),
        {"event": "mark", "sequenceNumber": "4", "streamSid": STREAM, "mark": {"name": "label"}},
    ),
    (
        "stop",
        messages.stop(STREAM, CALL, ACCOUNT, sequence=5),
        {
            "event": "stop",
            "sequenceNumber": "5",
            "streamSid": STREAM,
            "stop": {"accountSid": ACCOUNT, "callSid": CALL},
        },
    ),
]


@pytest.mark.parametrize(("event", "text", "documented"), DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
def test_speaks_as_twilio_is_documented_to(event: str, text: str, documented: object) -> None:
    assert json.loads(text) == documented
    assert type(decode_message(text)).__name__.lower() == event


@pytest.mark.parametrize("row", DOCUMENTED, ids=[row[0] for row in DOCUMENTED])
def test_unknown_fields_from_twilio_are_skipped(row: tuple[str, str, dict[str, object]]) -> None:
    _, text, documented = row
    newer = {name: {**value, "later": [1]} if isinstance(value, dict) else value for name, value in documented.items()}
    assert decode_message(json.dumps({**newer, "later": {"deep": [None]}})) == decode_message(text)


def test_numbers_may_be_numbers() -> None:
    text = '{"event":"media","sequenceNumber":4,"streamSid":"MZ1","media":{"chunk":2,"timestamp":20,"payload":"AAA="}}'
    message = decode_message(text)
    assert isinstance(message, messages.Media)
    assert (message.media.chunk, message.media.timestamp, message.media.payload) == (2, 20, b"\0\0")


@given(mulaw=st.binary(min_size=1, max_size=2_000), stream=st.text(min_size=1), name=st.text(min_size=1))
def test_commands_have_exactly_the_documented_fields(mulaw: bytes, stream: str, name: str) -> None:
    played = messages.play(messages.media_prefix(stream), mulaw)
    assert json.loads(played) == {
        "event": "media",
        "streamSid": stream,
        "media": {"payload": base64.b64encode(mulaw).decode()},
    }
    assert decode_command(played) == messages.OutMedia(stream, messages.OutPayload(mulaw))
    assert played.encode() == msgspec.json.encode(decode_command(played))
    assert json.loads(messages.set_mark(stream, name)) == {
        "event": "mark",
        "streamSid": stream,
        "mark": {"name": name},
    }
    assert json.loads(messages.clear(stream)) == {"event": "clear", "streamSid": stream}
    assert isinstance(decode_command(messages.set_mark(stream, name)), messages.OutMark)
    assert isinstance(decode_command(messages.clear(stream)), messages.OutClear)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "\ud800",
        '{"event":"hangup","streamSid":"MZ1"}',
        '{"event":"clear"}',
        '{"event":"clear","streamSid":""}',
        '{"event":"clear","streamSid":"MZ1","mark":{"name":"a"}}',
        '{"event":"mark","streamSid":"MZ1","mark":{}}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":""}}',
        '{"event":"mark","streamSid":"MZ1","mark":{"name":"a","more":1}}',
        '{"event":"mark","streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"AAA=","track":"outbound"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"AAA"}}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":""}}',
        '{"event":"media","sequenceNumber":"1","streamSid":"MZ1","media":{"payload":"AAA="}}',
    ],
)
def test_a_command_that_twilio_would_drop_is_refused(text: str) -> None:
    with pytest.raises(CarrierError, match="31951"):
        decode_command(text)
