"""A tape holds everything that reached a call, is read up to where it was cut, and says plainly when it is none."""

import zlib
from collections.abc import Iterator
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit import agent, speech, tell

from booking import BOOKING
from offhook.call.config import CallConfig
from offhook.call.inputs import DeadlinePassed, Input
from offhook.call.outputs import Output
from offhook.call.tape import MAGIC, Header, Step, TapeError, digest, encode_header, encode_step, read
from offhook.conversation.tools import ToolSpec
from offhook.simulator.caller import SimulatedCaller


@pytest.fixture(autouse=True, scope="module")
def plain_numbers() -> Iterator[None]:
    """Numbers that equal themselves and fit into 64 bits."""
    st.register_type_strategy(float, st.floats(allow_nan=False))
    st.register_type_strategy(int, st.integers(-(2**63), 2**63))
    st.register_type_strategy(ToolSpec, st.builds(ToolSpec, st.text(), st.text(), st.just({"type": "object"})))
    yield
    st.register_type_strategy(float, st.floats())
    st.register_type_strategy(int, st.integers())


@pytest.mark.parametrize("kind", get_args(Input), ids=lambda kind: kind.__name__)
def test_every_input_keeps_its_value(kind: type[Any]) -> None:
    @given(st.from_type(kind), st.integers(0, 2**60), st.integers(0, 2**32 - 1))
    def stays_the_same(event: Any, now: int, crc: int) -> None:
        tape = read(encode_header(Header("1", "", CallConfig())) + encode_step(Step(now, event, crc)))
        assert tape.steps == [Step(now, event, crc)]

    stays_the_same()


@pytest.mark.parametrize("kind", get_args(Output), ids=lambda kind: kind.__name__)
def test_every_output_can_be_told_from_another(kind: type[Any]) -> None:
    decoder = msgspec.msgpack.Decoder(Output)

    @given(st.from_type(kind))
    def stays_the_same(output: Any) -> None:
        assert decoder.decode(msgspec.msgpack.encode(output)) == output
        assert digest((output,)) == digest((output,)) != digest((output, output))

    stays_the_same()


def record(content: dict[str, Any]) -> bytes:
    """As a tape frames it."""
    body = msgspec.msgpack.encode(content)
    return len(body).to_bytes(4, "big") + zlib.crc32(body).to_bytes(4, "big") + body


def test_nothing_has_a_digest_of_its_own() -> None:
    assert digest(()) == 0


@pytest.mark.parametrize(
    "config", [CallConfig(), CallConfig(flow=BOOKING, greeting="", recordings={"Hi.": b"\xff\x00"})]
)
def test_the_whole_configuration_is_kept(config: CallConfig) -> None:
    header = Header("0.1.0", "2026-01-01T00:00:00Z", config)
    assert read(encode_header(header)).header == header


@pytest.fixture(scope="module")
def taped() -> bytes:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.5)
        await caller.say(speech("hello"))
        await caller.listen_until_quiet(0.5)

    return bytes(tell(agent("Hello to you."), script).tape)


def test_a_tape_that_was_cut_is_read_up_to_the_cut(taped: bytes) -> None:
    whole = read(taped)
    first = len(encode_header(whole.header))
    for cut in (*range(first, first + 400), *range(len(taped) - 200, len(taped))):
        part = read(taped[:cut])
        assert part.header == whole.header
        assert part.steps == whole.steps[: len(part.steps)]
        kept = b"".join(map(encode_step, part.steps))
        assert part.whole == (cut == first + len(kept))
    assert whole.whole
    assert len(read(taped[:-1]).steps) == len(whole.steps) - 1


def test_a_tape_that_was_cut_within_its_header_says_so(taped: bytes) -> None:
    for cut in range(len(encode_header(read(taped).header))):
        with pytest.raises(TapeError, match="breaks off before its header ends") as error:
            read(taped[:cut])
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"RIFF....WAVE", "no tape"), (b"OFFHOOK-TAPE 1\n\x00\x00\x00\x01\x80", "has another format")],
)
def test_what_is_no_tape_of_ours_says_what_it_is(data: bytes, words: str) -> None:
    with pytest.raises(TapeError, match=words) as error:
        read(data)
    assert "\n" not in str(error.value)


@given(st.binary(max_size=200))
def test_garbage_is_a_tape_error(data: bytes) -> None:
    framed = MAGIC + len(data).to_bytes(4, "big") + zlib.crc32(data).to_bytes(4, "big")
    for opening in (b"", MAGIC, framed):
        with pytest.raises(TapeError):
            read(opening + data)


@given(st.data())
def test_a_damaged_tape_is_a_tape_error_or_breaks_off(data: st.DataObject) -> None:
    header = Header("1", "", CallConfig())
    good = encode_header(header) + b"".join(encode_step(Step(now, DeadlinePassed(), 0)) for now in range(5))
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    try:
        tape = read(bad)
    except TapeError:
        return
    assert tape.steps == read(good).steps[: len(tape.steps)]
    assert not tape.whole, "a length that reaches past the end looks like a cut"


def test_what_is_not_what_was_written_is_damage(taped: bytes) -> None:
    at = taped.index(b"AudioReceived") + 40
    assert read(taped[:at]).steps, "it lies behind the header"
    with pytest.raises(TapeError, match="damaged: the record at byte"):
        read(taped[:at] + bytes([taped[at] ^ 0x55]) + taped[at + 1 :])


def test_a_tape_from_before_a_setting_is_read_without_it(taped: bytes) -> None:
    header = msgspec.msgpack.decode(encode_header(read(taped).header)[len(MAGIC) + 8 :])
    assert header["config"].pop("end_of_turn") is False
    assert read(MAGIC + record(header)).header == read(taped).header


def test_a_tape_of_another_version_says_so(taped: bytes) -> None:
    step = {"type": "Step", "now": 0, "input": {"type": "FaxReceived"}, "digest": 0}
    with pytest.raises(TapeError, match="another version"):
        read(taped + record(step))
