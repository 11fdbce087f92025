"""What can be told from a request's first bytes, however they come."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.server.workers.peek import MOST, Asked, read


def post(path: str, body: bytes, *headers: str) -> bytes:
    head = "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers])
    return head.encode() + b"\r\n\r\n" + body


FORM = {"From": "+15550001", "CallSid": "CA1", "CallStatus": "ringing"}


@pytest.mark.parametrize(
    ("form", "calls"),
    [
        (FORM, ("CA1",)),
        ({"CallSid": "CA7", "ParentCallSid": "CA1"}, ("CA1", "CA7")),
        ({"ParentCallSid": "CA1", "CallSid": "CA1"}, ("CA1",)),
        ({"CallSid": "a@b"}, ("a@b",)),
        ({"NoCallSid": "CA1"}, ()),
    ],
)
def test_the_calls_that_a_form_names(form: dict[str, str], calls: tuple[str, ...]) -> None:
    assert read(post("/twilio/status", urlencode(form).encode())) == Asked(calls=calls)


@pytest.mark.parametrize(
    ("path", "worker"),
    [
        ("/twilio/stream/7", 7),
        ("/phone/twilio/stream/12?x", 12),
        ("/twilio/stream", None),
        ("/twilio/stream/", None),
        ("/twilio/stream/7x", None),
        ("/?/twilio/stream/7", None),
    ],
)
def test_the_worker_that_a_path_names(path: str, worker: int | None) -> None:
    assert read(f"GET {path} HTTP/1.1\r\nUpgrade: websocket\r\n\r\n".encode()) == Asked(worker)


@given(st.dictionaries(st.text(), st.text(), max_size=4), st.floats(0, 1))
def test_nothing_is_decided_before_all_has_come(more: dict[str, str], share: float) -> None:
    request = post("/twilio/voice", urlencode({**more, **FORM}).encode())
    assert read(request[: int(share * len(request))]) is None or share == 1
    assert read(request) == Asked(calls=("CA1",))


def test_chunks_are_read_as_they_are() -> None:
    body = urlencode(FORM).encode()
    request = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert read(request[:-1]) is None
    assert read(request) == Asked(calls=("CA1",))


def test_a_body_that_waits_for_us_is_not_waited_for() -> None:
    assert read(b"POST / HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n") == Asked()


@given(st.binary(max_size=400))
def test_no_bytes_are_too_strange(data: bytes) -> None:
    read(data)
    read(b"POST /twilio/voice HTTP/1.1\r\n" + data + b"\r\n\r\n" + data)


def test_what_has_no_end_is_somebody_elses_to_judge() -> None:
    assert read(b"x" * (MOST - 1)) is None
    assert read(b"x" * MOST) == Asked()
