"""What an agent's providers charge; no figure where one is not known."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from offhook.agent import Agent
from offhook.call.usage import Rates
from offhook.conversation.answers import Day
from offhook.conversation.flow import Flow
from offhook.conversation.questions import Question
from offhook.errors import ConfigurationError
from offhook.runtime.prices import known, packaged, rates


async def my_model(call: Any, history: Any) -> AsyncIterator[str]:
    yield "Hello."


class MyVoice:
    pass


BOOKING = Flow(greeting="Hello.", questions=(Question("day", "Which day?", Day()),))


def charged(**agent: Any) -> Rates | None:
    return rates(Agent(**{"llm": "openai/gpt-5-mini", **agent}), packaged())


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ({}, Rates(input=0.25, cached=0.025, output=2.0)),
        ({"llm": "openai/gpt-4o-mini-2024-07-18"}, Rates(input=0.15, cached=0.075, output=0.6)),
        ({"llm": "openai/responses:gpt-5-mini"}, Rates(input=0.25, cached=0.025, output=2.0)),
        ({"llm": "openai-responses/gpt-5-mini"}, Rates(input=0.25, cached=0.025, output=2.0)),
        ({"llm": "scripted", "stt": "openai/realtime"}, Rates(heard_minute=0.006)),
        ({"llm": "scripted", "stt": "openai/realtime:gpt-4o-mini-transcribe"}, Rates(heard_minute=0.003)),
        ({"llm": "scripted", "tts": "openai/tts-1:nova"}, Rates(characters=15.0)),
        ({"llm": "scripted", "tts": "openai/gpt-4o-mini-tts-2025-12-15:coral"}, Rates(spoken_minute=0.015)),
        ({"llm": BOOKING}, Rates()),
        ({"llm": ["scripted", "openai/gpt-4o", "openai/gpt-5"]}, Rates(input=2.5, cached=1.25, output=10.0)),
        ({"llm": "openai/gpt-99"}, None),
        ({"llm": ["openai/gpt-4o", "acme/cheap"]}, None),
        ({"llm": my_model}, None),
        ({"tts": MyVoice()}, None),
    ],
)
def test_rates(agent: dict[str, Any], expected: Rates | None) -> None:
    assert charged(**agent) == expected


def test_the_user_knows_better() -> None:
    mine = {"my_model": Rates(input=1.0), "MyVoice": Rates(characters=5.0), "local": Rates(heard_minute=0.1)}
    agent = Agent(llm=my_model, tts=MyVoice())
    assert rates(agent, known(mine)) == Rates(input=1.0, characters=5.0, heard_minute=0.1)


def test_a_file_of_prices(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text('"openai/gpt-5-mini" = { input = 1, output = 3.5 }\n')
    prices = known(path)
    assert prices["openai/gpt-5-mini"] == Rates(input=1.0, output=3.5)
    assert prices["openai/gpt-4o"] == packaged()["openai/gpt-4o"]


@pytest.mark.parametrize("text", ['"a" = { inptu = 1 }', '"a" = { input = "much" }', '"a" = 3', "a b c", "\xff"])
def test_a_file_that_makes_no_sense_is_said_in_one_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text, "latin-1")
    with pytest.raises(ConfigurationError, match=r"prices\.toml") as caught:
        known(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        known("nowhere.toml")


def test_a_limit_needs_prices() -> None:
    with pytest.raises(ConfigurationError, match="the price of my_model"):
        rates(Agent(llm=my_model), packaged(), needed=True)


def test_what_is_known_again_and_again_is_cheaper() -> None:
    for price in packaged().values():
        assert price.cached <= price.input <= price.output
