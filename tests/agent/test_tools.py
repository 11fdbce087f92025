"""Functions of a user's as tools: what a model is told of them, and how an agent takes them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import BOOKING
from offhook.agent import Agent
from offhook.agent.docstrings import described
from offhook.agent.handle import CallHandle
from offhook.agent.tools import FunctionTool
from offhook.call.config import Limits
from offhook.conversation.tools import ToolCall
from offhook.errors import ConfigurationError
from offhook.runtime.toolbox import Toolbox
from offhook.simulator import world
from offhook.timebase import seconds
from restaurant import book, ring, use


def test_a_signature_becomes_a_schema() -> None:
    spec = FunctionTool.of(book).spec
    assert (spec.name, spec.description) == ("book", "Book a table.\n\nOnly for dinner.")
    properties = spec.schema["properties"]
    assert list(properties) == ["day", "people", "size", "seat", "guests", "copy"]
    assert spec.schema["required"] == ["day", "people"]
    assert spec.schema["additionalProperties"] is False
    assert properties["day"] == {"type": "string", "format": "date", "description": "The evening, as a date."}
    assert properties["people"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 20,
        "description": "How many will sit there.",
    }
    assert properties["seat"] == {
        "type": "string",
        "enum": ["inside", "outside"],
        "default": "inside",
        "description": "Where to sit.",
    }
    assert spec.schema["$defs"]["Size"]["enum"] == ["small", "large"]
    assert spec.schema["$defs"]["Guest"]["required"] == ["name"]


def test_a_tool_without_parameters_has_an_empty_schema() -> None:
    for function in (lambda: None, lambda call: None):
        schema = FunctionTool.of(function, "now").spec.schema
        assert schema == {"type": "object", "properties": {}, "additionalProperties": False}


def test_what_is_not_annotated_may_be_anything() -> None:
    assert FunctionTool.of(lambda x: x, "echo").spec.schema["properties"] == {"x": {}}
    assert use(lambda x: x, '{"x": [1, {"y": null}]}') == ('[1,{"y":null}]', False)


def test_the_call_is_the_first_parameter_by_name_or_type() -> None:
    def by_type(line: CallHandle, text: str) -> None: ...

    def by_name(call, text: str) -> None: ...  # type: ignore[no-untyped-def]

    def neither(call: str, text: str) -> None: ...

    def second(text: str, call: str) -> None: ...

    for function, names in ((by_type, ["text"]), (by_name, ["text"]), (neither, ["call", "text"])):
        assert list(FunctionTool.of(function).spec.schema["properties"]) == names
    assert list(FunctionTool.of(second).spec.schema["properties"]) == ["text", "call"]


def test_docstrings_of_either_style() -> None:
    assert described("Do it.\n\n:param int x: The\n    first.\n:param y: B.\n:returns: z") == (
        "Do it.",
        {"x": "The first.", "y": "B."},
    )
    assert described("Do it: now.\n\nArgs:\n    x: A.\n\n    y (int): B\n        b.\n\nRaises:\n    OSError: no.") == (
        "Do it: now.",
        {"x": "A.", "y": "B b."},
    )
    assert described("") == ("", {})


@given(st.text())
def test_any_docstring_can_be_read(doc: str) -> None:
    described(doc)


def agent(**given: Any) -> Agent:
    return Agent(llm="scripted", **given)


def test_an_agent_takes_tools_three_ways() -> None:
    def first() -> None: ...

    someone = agent(tools=[first])

    @someone.tool
    def second(x: int) -> int:
        return 2 * x

    @someone.tool(name="drei", timeout=40)
    async def third() -> None: ...

    assert second(4) == 8
    assert [spec.name for spec in someone.config().tools] == ["first", "second", "drei"]
    assert Toolbox.of(someone).specs == someone.config().tools
    assert someone.config().limits.tool == seconds(41)


def test_a_tool_gets_the_limit_of_its_agent() -> None:
    async def slow() -> None:
        await asyncio.sleep(1_000)

    someone = agent(tools=[slow], limits=Limits(tool=seconds(5)))
    assert world.run(Toolbox.of(someone).use(ToolCall("1", "slow", ""), None))[0].startswith(
        "The tool took longer than 5"
    )
    assert someone.config().limits.tool == seconds(6)
    assert agent().config().limits.tool == Limits().tool


def test_what_is_added_to_a_copy_stays_there() -> None:
    tools: list[Any] = [ring]
    someone = agent(tools=tools)
    someone.tool(book)
    other = replace(someone, instructions="Be brief.")
    other.tool(test_docstrings_of_either_style)
    assert [len(each) for each in (tools, someone.tools, other.tools)] == [1, 2, 3]


async def yields() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda *x: x, r"the parameter \*x"),
        (lambda **x: x, r"the parameter \*\*x"),
        (lambda x, /: x, "without / and"),
        (lambda call, *x: x, r"the parameter \*x"),
        (yields, "yields"),
    ],
)
def test_functions_that_no_model_could_call(function: Callable[..., Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as raised:
        agent().tool(name="tool")(function)
    assert "\n" not in str(raised.value)


def test_types_that_no_model_could_write() -> None:
    def odd(x: threading.Thread) -> None: ...

    def unknown(x: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    def caller(x: Callable[[], None]) -> None: ...

    for function in (odd, unknown, caller):
        with pytest.raises(ConfigurationError, match=f"The tool {function.__name__} cannot be") as raised:
            agent(tools=[function])
        assert "\n" not in str(raised.value)


def test_two_tools_of_one_name() -> None:
    someone = agent(tools=[book])
    with pytest.raises(ConfigurationError, match="two tools named book"):
        someone.tool(name="book")(ring)
    with pytest.raises(ConfigurationError, match="two tools named book"):
        Toolbox([FunctionTool.of(book), FunctionTool.of(book)])


def test_names_and_times_that_are_none() -> None:
    with pytest.raises(ConfigurationError, match="is no name for a tool"):
        agent(tools=[lambda: None])
    with pytest.raises(ConfigurationError, match="is no name for a tool"):
        agent().tool(name="book a table")(book)
    with pytest.raises(ConfigurationError, match="timeout=0"):
        agent().tool(timeout=0)(book)


def test_a_flow_uses_no_tools() -> None:
    with pytest.raises(ConfigurationError, match="without tools"):
        Agent(llm=BOOKING, tools=[book])
    with pytest.raises(ConfigurationError, match="without tools"):
        Agent(llm=BOOKING, mcp=["https://example.com/mcp"])
