"""What a consumption costs."""

import msgspec
import pytest

from offhook.call.usage import Consumption, Rates
from offhook.values import Value


@pytest.mark.parametrize(
    ("rates", "used", "dollars"),
    [
        (Rates(), Consumption(input=10**9, heard=10**9, spoken=10**9, characters=10**9), 0.0),
        (Rates(input=2.5, cached=1.25), Consumption(input=1_000_000, cached=600_000), 1.75),
        (Rates(output=10.0), Consumption(output=1_000), 0.01),
        (Rates(heard_minute=0.006), Consumption(heard=60 * 8_000), 0.006),
        (Rates(spoken_minute=0.015), Consumption(spoken=30 * 8_000), 0.0075),
        (Rates(characters=15.0), Consumption(characters=200), 0.003),
    ],
)
def test_cost(rates: Rates, used: Consumption, dollars: float) -> None:
    assert rates.cost(used) == pytest.approx(dollars)


@pytest.mark.parametrize("value", [Rates(input=0.15, spoken_minute=1.5), Consumption(heard=1, tools=2)])
def test_they_go_on_the_tape(value: Value) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type(value)) == value
