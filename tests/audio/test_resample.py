"""The streaming resampler: its response by measurement, its delay, and that cutting changes nothing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from offhook.audio.resample import Resampler, whole

HIGH = [16_000, 22_050, 24_000, 48_000]
PAIRS = [(high, 8_000) for high in HIGH] + [(8_000, high) for high in HIGH]


def tone(rate: int, hertz: float, seconds: float = 0.25, amplitude: float = 16_000) -> NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def samples(pcm: NDArray[np.float64]) -> bytes:
    return np.rint(pcm).astype("<i2").tobytes()


def through(rate_in: int, rate_out: int, data: bytes) -> NDArray[np.float64]:
    resampler = Resampler(rate_in, rate_out)
    return np.frombuffer(resampler.feed(data) + resampler.flush(), "<i2").astype(float)


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
@pytest.mark.parametrize("hertz", [300, 1_000, 2_222, 3_400])
def test_speech_passes_unchanged_and_unshifted(rate_in: int, rate_out: int, hertz: float) -> None:
    out = through(rate_in, rate_out, samples(tone(rate_in, hertz)))
    middle = slice(rate_out // 20, rate_out // 5)
    wanted = tone(rate_out, hertz)[: len(out)]
    gain = out[middle] @ wanted[middle] / (wanted[middle] @ wanted[middle])
    assert abs(20 * np.log10(gain)) < 0.1
    assert np.abs(out[: len(wanted)] - wanted)[middle].max() < 16_000 * 0.012


@pytest.mark.parametrize("rate_in", HIGH)
@pytest.mark.parametrize("hertz", [4_600, 4_700, 5_000, 6_100, 7_900])
def test_what_would_fold_back_is_75_db_down(rate_in: int, hertz: float) -> None:
    out = through(rate_in, 8_000, samples(tone(rate_in, hertz, seconds=1, amplitude=32_000)))
    folded = abs(np.fft.rfft(out[800:7_200] * np.blackman(6_400)))
    at = round(abs(hertz - 8_000) * 6_400 / 8_000)
    reference = 32_000 * np.blackman(6_400).sum() / 2
    assert folded[at - 3 : at + 4].max() < reference * 10 ** (-75 / 20)


@pytest.mark.parametrize("rate_out", HIGH)
@pytest.mark.parametrize("hertz", [300, 1_000, 3_400])
def test_images_are_75_db_down(rate_out: int, hertz: float) -> None:
    out = through(8_000, rate_out, samples(tone(8_000, hertz, seconds=1, amplitude=32_000)))
    size = rate_out * 4 // 5
    spectrum = abs(np.fft.rfft(out[rate_out // 10 :][:size] * np.blackman(size)))
    images = spectrum[round(4_600 * size / rate_out) :]
    assert images.max() < 32_000 * np.blackman(size).sum() / 2 * 10 ** (-75 / 20)


def test_the_ripple_between_the_tones_is_small_as_well() -> None:
    out = through(24_000, 8_000, samples(np.eye(1, 1_501, 750).ravel() * 32_000))
    response = abs(np.fft.rfft(out, 8_000)) * 3 / 32_000
    assert 20 * np.log10(response[300:3_401].max() / response[300:3_401].min()) < 0.1


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_it_holds_back_less_than_five_milliseconds(rate_in: int, rate_out: int) -> None:
    resampler = Resampler(rate_in, rate_out)
    fed, given_back = 0, 0
    for _ in range(50):
        fed += rate_in // 50
        given_back += len(resampler.feed(bytes(rate_in // 50 * 2))) // 2
        assert fed / rate_in - given_back / rate_out <= 0.005


@given(
    pair=st.sampled_from([*PAIRS, (8_000, 8_000)]),
    pcm=st.binary(max_size=900),
    loud=st.booleans(),
    cuts=st.lists(st.integers(0, 4_000), max_size=12),
)
@settings(max_examples=150, deadline=None)
def test_any_cut_gives_the_same_samples(pair: tuple[int, int], pcm: bytes, loud: bool, cuts: list[int]) -> None:
    data = (pcm * 5 if loud else bytes(len(pcm)) + pcm) + b"\x7f"
    at_once, in_pieces = Resampler(*pair), Resampler(*pair)
    wanted = at_once.feed(data) + at_once.flush()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    got = b"".join(in_pieces.feed(data[start:end]) for start, end in pairwise(edges))
    assert got + in_pieces.flush() == wanted
    assert len(wanted) // 2 == -(-(len(data) // 2) * pair[1] // pair[0])


@pytest.mark.parametrize(("rate_in", "rate_out"), PAIRS)
def test_a_second_at_once_gives_what_its_pieces_give(rate_in: int, rate_out: int) -> None:
    """More than is computed in one product."""
    noise = np.random.default_rng(5).integers(-32_768, 32_768, rate_in).astype("<i2").tobytes()
    in_pieces = Resampler(rate_in, rate_out)
    got = b"".join(in_pieces.feed(noise[at : at + 741]) for at in range(0, len(noise), 741)) + in_pieces.flush()
    assert np.array_equal(np.frombuffer(got, "<i2"), through(rate_in, rate_out, noise))


def test_byte_by_byte_and_again_after_a_flush() -> None:
    data = samples(tone(24_000, 440, seconds=0.02))
    resampler = Resampler(24_000, 8_000)
    once = resampler.feed(data) + resampler.flush()
    again = b"".join(resampler.feed(data[at : at + 1]) for at in range(len(data))) + resampler.flush()
    assert once == again


def test_full_scale_is_clipped_and_does_not_wrap() -> None:
    square = np.where(np.arange(2_400) // 30 % 2, 32_767.0, -32_768.0)
    out = through(24_000, 8_000, samples(square))
    assert out.max() == 32_767
    assert out.min() == -32_768
    assert abs(np.sign(out[20:-20]) - np.sign(square[60:-60:3])).mean() < 0.1


def test_equal_rates_pass_whole_samples_through() -> None:
    resampler = Resampler(8_000, 8_000)
    assert resampler.feed(b"abc") == b"ab"
    assert resampler.feed(b"d") == b"cd"
    assert resampler.flush() == b""


def test_a_whole_file_changes_its_rate() -> None:
    pcm = np.rint(tone(44_100, 1_000)).astype(np.int16)
    out = whole(pcm, 44_100, 8_000)
    assert out.dtype == np.int16
    assert len(out) == 2_000
    assert np.abs(out[200:1_800] - tone(8_000, 1_000)[200:1_800]).max() < 30
