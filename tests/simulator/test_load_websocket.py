"""The load test's own WebSocket against the `websockets` package."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from offhook.errors import CarrierError
from offhook.simulator.load.websocket import Frames, frame

PAYLOADS = st.lists(st.one_of(st.binary(max_size=200), st.integers(0, 70_000).map(bytes)), max_size=5)


@given(PAYLOADS, st.integers(1, 500))
def test_what_a_server_sends_comes_out_whole_wherever_it_is_cut(payloads: list[bytes], size: int) -> None:
    data = b"".join(Frame(Opcode.TEXT, payload).serialize(mask=False) for payload in payloads)
    frames, found = Frames(), []
    for at in range(0, len(data), size):
        found += frames.feed(data[at : at + size])
    assert found == [(1, payload) for payload in payloads]


@given(st.binary(max_size=65_535))
def test_a_server_reads_what_a_caller_sends(payload: bytes) -> None:
    server = ServerProtocol(state=OPEN)
    server.receive_data(frame(2, payload))
    (received,) = server.events_received()
    assert isinstance(received, Frame)
    assert (received.opcode, bytes(received.data)) == (Opcode.BINARY, payload)


def test_fragments_are_refused() -> None:
    with pytest.raises(CarrierError, match="fragment"):
        Frames().feed(Frame(Opcode.TEXT, b"half", fin=False).serialize(mask=False))
