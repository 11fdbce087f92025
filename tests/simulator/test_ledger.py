"""Who was heard when: to the sample, cut or not."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.simulator.ledger import QUIET, Ledger, Span
from offhook.timebase import Duration, ms

LOUD = b"\x20"
SOFT = b"\xff"


def laid(*pieces: tuple[int, bytes]) -> Ledger:
    ledger = Ledger()
    for start, audio in pieces:
        ledger.append(start, audio)
    return ledger


def test_silence_lies_where_nothing_else_does() -> None:
    ledger = laid((10, b"abc"), (13, b"d"), (20, b"ef"))
    assert ledger.between(8, 24) == b"\xff\xffabcd" + b"\xff" * 6 + b"ef\xff\xff"
    assert ledger.gaps() == [Span(14, 20)]
    assert ledger.heard() == [(1250, b"abc"), (1625, b"d"), (2500, b"ef")]


def test_audible_is_exact_at_its_edges() -> None:
    ledger = laid((0, SOFT * 100 + LOUD * 50 + SOFT * 30), (5000, LOUD * 400))
    assert ledger.audible() == [Span(100, 150), Span(5000, 5400)]
    assert ledger.audible(ms(1000)) == [Span(100, 5400)]
    assert ledger.audible(Duration(0), start=5100) == [Span(5100, 5400)]
    assert (ledger.first_audible(0), ledger.first_audible(120), ledger.first_audible(150)) == (100, 120, 5000)
    assert ledger.first_audible(5400) is None
    assert ledger.last_audible() == 5400


def test_what_nobody_hears_is_quiet() -> None:
    assert {0xFF, 0x7F} < set(QUIET)
    assert not {0x00, 0x80, 0x20} & set(QUIET)


@given(st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=300)), max_size=12), st.integers(0, 6000))
def test_a_cut_keeps_what_lies_before_it(pieces: list[tuple[int, bytes]], position: int) -> None:
    ledger, line = Ledger(), bytearray()
    for gap, audio in pieces:
        ledger.append(ledger.end + gap, audio)
        if audio:
            line += SOFT * (ledger.end - len(audio) - len(line)) + audio
    total = sum(len(audio) for _, audio in ledger.pieces())
    assert ledger.between(0, len(line)) == bytes(line)

    dropped = ledger.cut(position)
    assert total - dropped == sum(len(audio) for _, audio in ledger.pieces())
    assert ledger.end <= position
    assert ledger.between(0, position) == bytes(line[:position]).ljust(position, SOFT)
    assert all(span.end <= position for span in ledger.audible())
    for start in (0, position // 2, position):
        first = ledger.first_audible(start)
        assert first is None or start <= first < position


@given(
    st.lists(st.binary(min_size=1, max_size=400), min_size=1, max_size=8), st.integers(0, 3000), st.integers(0, 3000)
)
def test_between_is_a_window_on_the_whole(pieces: list[bytes], one: int, other: int) -> None:
    ledger = Ledger()
    for audio in pieces:
        ledger.append(ledger.end, audio)
    start, end = sorted((one, other))
    assert ledger.between(start, end) == b"".join(pieces).ljust(3000, SOFT)[start:end]
