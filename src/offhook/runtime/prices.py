"""What the providers of an agent charge: a list that the package carries, and what the user knows better."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from offhook.agent import Agent
from offhook.call.usage import Rates
from offhook.errors import ConfigurationError

Prices = Mapping[str, Rates]
"""By the name that an agent gives a provider: "openai/gpt-5-mini"; an instance or a function goes by the name of its
class or its own."""

_DATE = re.compile(r"-\d{4}-\d\d-\d\d$")


@cache
def packaged() -> Prices:
    """The prices that came with this version."""
    return _parsed((files("offhook.runtime") / "data" / "prices.toml").read_bytes())


def known(given: Prices | Path | str) -> Prices:
    """The packaged prices with `given` ones before them: a mapping, or a TOML file of lines such as
    `"acme/model" = { input = 0.5, output = 2 }`. Raises ConfigurationError.
    """
    return {**packaged(), **(given if isinstance(given, Mapping) else _read(Path(given)))}


def rates(agent: Agent, prices: Prices, *, needed: bool = False) -> Rates | None:
    """What a call of the agent is charged, or None if one of its providers has no price: no figure is better than a
    wrong one. Of several providers for one thing the dearest counts, so a call costs at most this. Raises
    ConfigurationError if a price is `needed` and missing.
    """
    found: list[Rates] = []
    separate = (agent.stt, agent.tts, () if agent.flow else agent.llm)
    for specs in separate if agent.speech is None else (agent.speech,):
        named = {_name(spec): _rates(_name(spec), prices) for spec in _listed(specs)}
        missing = ", ".join(name for name, each in named.items() if each is None)
        if missing and needed:
            raise ConfigurationError(f"a limit on what a call costs needs the price of {missing}: see Agent(prices=…)")
        if missing:
            return None
        found.append(_merged(max, *(each for each in named.values() if each)))
    return _merged(sum, *found)


@cache
def _read(path: Path) -> Prices:
    """A file is read once, not for every call."""
    try:
        return _parsed(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"the prices in {path} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the prices in {path} make no sense: {error}") from None


def _parsed(text: bytes) -> Prices:
    return msgspec.toml.decode(text, type=dict[str, Rates])


def _listed(specs: Any) -> list[Any]:
    return list(specs) if isinstance(specs, list | tuple) else [specs]


def _name(spec: Any) -> str:
    if isinstance(spec, str):
        return spec
    name: str = getattr(spec, "__name__", type(spec).__name__)
    return name


def _rates(name: str, prices: Prices) -> Rates | None:
    return next((prices[each] for each in _aliases(name) if each in prices), None)


def _aliases(name: str) -> Iterator[str]:
    """The names under which a price may stand, the closest first: "openai/tts-1:nova" is a voice of "openai/tts-1",
    "openai/responses:gpt-5" and "openai-responses/gpt-5" are ways to reach "openai/gpt-5", and a model of a date is
    that model.
    """
    vendor, _, model = name.replace("openai-responses/", "openai/").partition("/")
    before, colon, behind = model.partition(":")
    for each in (model, behind, before) if colon else (model,):
        full = f"{vendor}/{each}" if each else vendor
        yield full
        yield _DATE.sub("", full)


def _merged(how: Callable[[list[float]], float], *several: Rates) -> Rates:
    fields = Rates.__struct_fields__
    return Rates(**{field: how([getattr(each, field) for each in several] or [0.0]) for field in fields})
