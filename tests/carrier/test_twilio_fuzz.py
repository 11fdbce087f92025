"""Whatever comes over the socket, in whatever order: nothing raises, and what is said about it holds together."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.carrier.events import AudioReceived, CarrierEvent, ProtocolBroken, StreamStarted, StreamStopped, Track
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import State, TwilioStream

STREAM, CALL, ACCOUNT = "MZ" + "5" * 32, "CA" + "c" * 32, "AC" + "a" * 32

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
odd_numbers: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", "NaN", "-1", -1, 1e300, "9" * 40, "9" * 5000, 10**25, True, [], {"a": 1}, " 7 "]
)
numbers = st.integers(0, 100_000) | st.integers(0, 100_000).map(str) | odd_numbers
tracks = st.sampled_from(["inbound", "outbound", "inbound_track", "", "third"])


def built(event: str, stream: str, **body: Any) -> str:
    return json.dumps({"event": event, "sequenceNumber": "1", "streamSid": stream, event: body})


streams = st.sampled_from([STREAM] * 8 + ["MZother", ""])
connected = st.just(messages.connected())
start = st.builds(
    lambda stream, tracks, parameters: messages.start(stream, CALL, ACCOUNT, tracks=tracks, parameters=parameters),
    streams,
    st.lists(tracks, max_size=3),
    st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=2),
)
media = st.builds(
    lambda stream, payload, track, chunk, timestamp: built(
        "media", stream, payload=payload, track=track, chunk=chunk, timestamp=timestamp
    ),
    streams,
    st.sampled_from(["", "AAAA", "/w==", "AAA", "*"]) | st.integers(1, 300).map(lambda n: "AAAA" * n),
    tracks,
    numbers,
    numbers,
)
dtmf = st.builds(lambda stream, digit: built("dtmf", stream, digit=digit), streams, st.text(max_size=2))
mark = st.builds(lambda stream, name: built("mark", stream, name=name), streams, st.text(max_size=2))
stop = st.builds(lambda stream: messages.stop(stream, CALL, ACCOUNT, sequence=1), streams)
valid = st.one_of(connected, start, media, media, media, dtmf, mark, stop)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good message with one thing changed somewhere: a field gone or replaced, a character wrong, an end missing."""
    text: str = draw(valid)
    match draw(st.sampled_from(["cut", "character", "field", "field", "inner", "inner"])):
        case "cut":
            return text[: draw(st.integers(0, len(text)))]
        case "character":
            at = draw(st.integers(0, len(text) - 1))
            return text[:at] + str(draw(st.characters())) + text[at + 1 :]
        case where:
            message = json.loads(text)
            inner = message.get(message["event"])
            target = inner if where == "inner" and isinstance(inner, dict) and inner else message
            field = draw(st.sampled_from(sorted(target)))
            if draw(st.booleans()):
                del target[field]
            else:
                target[field] = draw(anything)
            return json.dumps(message)


texts = st.one_of(
    valid,
    valid,
    valid,
    mutated(),
    mutated(),
    st.text(),
    st.text(st.characters(exclude_categories=())),
    anything.map(json.dumps),
)


def check(frames: list[str | int]) -> None:
    stream = TwilioStream()
    told: list[str] = []
    ends = dict.fromkeys(Track, 0)
    before: list[CarrierEvent] = []
    for frame in frames:
        events = stream.receive_text(frame) if isinstance(frame, str) else stream.receive_binary(frame)
        for event in events:
            match event:
                case StreamStarted():
                    assert not any(isinstance(other, StreamStarted | AudioReceived) for other in before)
                    assert (event.stream_id, event.call_id) == (stream.stream_id, stream.call_id)
                case AudioReceived():
                    assert any(isinstance(other, StreamStarted) for other in before)
                    assert not any(isinstance(other, StreamStopped) for other in before)
                    assert event.position == ends[event.track] + event.missing
                    assert event.missing >= 0
                    assert event.mulaw
                    ends[event.track] = event.position + len(event.mulaw)
                case ProtocolBroken():
                    told.append(event.kind)
                    assert len(event.words) < 300
                    assert event.words.isprintable()
                case StreamStopped():
                    assert stream.state is State.STOPPED
            before.append(event)
    assert len(told) == len(set(told))
    assert set(told) == set(stream.complaints)
    assert (stream.state is State.STREAMING) <= bool(stream.stream_id)
    assert sum(isinstance(event, StreamStopped) for event in before) == (stream.state is State.STOPPED)


@given(st.lists(texts | st.integers(0, 10_000), max_size=15))
@settings(max_examples=300, deadline=None)
def test_any_sequence_of_frames(frames: list[str | int]) -> None:
    check(frames)


@given(st.lists(texts | st.integers(0, 10_000), max_size=15))
@settings(max_examples=200, deadline=None)
def test_any_sequence_within_a_call(frames: list[str | int]) -> None:
    check([messages.connected(), messages.start(STREAM, CALL, ACCOUNT, tracks=["inbound", "outbound"]), *frames])
