"""Functions of a user's as tools: what a model is told of them, and that nothing it writes or they do gets further."""

import asyncio
import contextvars
import datetime
import enum
import json
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from booking import BOOKING
from offhook.agent import Agent
from offhook.agent.docstrings import described
from offhook.agent.handle import CallHandle
from offhook.agent.tools import FunctionTool
from offhook.call.config import Limits
from offhook.call.inputs import SayOrdered, ToolReturned
from offhook.call.outputs import RunTool
from offhook.conversation.tools import ToolCall
from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.runtime.toolbox import LONGEST, Toolbox, ToolRuns
from offhook.simulator import world
from offhook.timebase import seconds


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Guest(BaseModel):
    name: str
    children: int = 0


def book(
    call: CallHandle,
    day: datetime.date,
    people: Annotated[int, Field(ge=1, le=20, description="How many will sit there.")],
    size: Size = Size.SMALL,
    seat: Literal["inside", "outside"] = "inside",
    guests: list[Guest] = [],  # noqa: B006 - what is asked is that it is never shared
    copy: str | None = None,
) -> str:
    """Book a table.

    Only for dinner.

    Args:
        day: The evening,
            as a date.
        people: Not shown, since the annotation says it.
        seat (str): Where to sit.

    Returns:
        What to say.
    """
    guests.append(Guest(name="the caller"))
    return f"{day:%d.%m.} for {people} {seat} {size.value} {len(guests)} {copy}"


def ring() -> None:
    """Ring the bell."""


def use(
    function: Callable[..., Any], arguments: str = "{}", handle: CallHandle | None = None, timeout: float | None = None
) -> tuple[str, bool]:
    toolbox = Toolbox([FunctionTool.of(function, "tool", timeout)])
    return asyncio.run(toolbox.use(ToolCall("1", "tool", arguments), handle))


# What a model is told


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


# What it gets back


def test_arguments_become_python_values() -> None:
    arguments = '{"day": "2026-11-05", "people": "4", "size": "large", "copy": "x"}'
    for _ in range(2):
        assert use(book, arguments) == ("05.11. for 4 inside large 1 x", False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('{"people": 2}', "day: is missing"),
        ('{"day": "soon", "people": 0}', "day: input should be a valid date"),
        ('{"day": "2026-11-05", "people": 0}', "people: input should be greater than or equal to 1"),
        ('{"day": "2026-11-05", "people": 1, "colour": "red"}', "colour: is not known"),
        ('{"day": "2026-11-05", "people": 1, "guests": [{}]}', "guests.0.name: field required"),
        ('{"day": "2026-', "invalid JSON"),
        ("5", "arguments must be"),
        ("[" * 10_000, "invalid JSON"),
    ],
)
def test_what_is_wrong_with_arguments_is_told(arguments: str, words: str) -> None:
    text, failed = use(book, arguments)
    assert failed
    assert text.startswith("The tool was not used, its arguments do not fit: ")
    assert words in text
    assert "\n" not in text


def test_no_arguments_are_none() -> None:
    assert use(lambda: "it is nine", "") == ("it is nine", False)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


NAMES = st.sampled_from(["day", "people", "guests", "size", "copy", "x"])
BOOK = FunctionTool.of(book)


@given(st.text() | (JSON | st.dictionaries(NAMES, JSON)).map(json.dumps))
def test_whatever_a_model_writes_is_answered_in_words(arguments: str) -> None:
    text, failed = asyncio.run(Toolbox([BOOK]).use(ToolCall("1", "book", arguments), None))
    assert text
    assert failed == text.startswith("The tool ")


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("plain", "plain"),
        (None, "done"),
        ("", ""),
        ({"a": [1, 2.5], "b": None}, '{"a":[1,2.5],"b":null}'),
        (Guest(name="Zoë"), '{"name":"Zoë","children":0}'),
        (datetime.time(9, 30), '"09:30:00"'),
        (Size.LARGE, '"large"'),
        ("half a \ud83d", "half a ?"),
    ],
)
def test_results_are_told_as_text_or_json(result: object, told: str) -> None:
    assert use(lambda: result) == (told, False)


def test_a_dataclass_is_told_as_json() -> None:
    @dataclass
    class Slot:
        at: datetime.time

    assert use(lambda: Slot(datetime.time(19))) == ('{"at":"19:00:00"}', False)


def test_a_result_that_is_no_json_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    text, failed = use(object)
    assert failed
    assert "Unable to serialize" in text
    assert caplog.records


def test_a_long_result_is_cut() -> None:
    text, failed = use(lambda: "x" * (LONGEST + 1))
    assert not failed
    assert text == "x" * LONGEST + f"… (cut: {LONGEST + 1} characters in all)"


def test_an_exception_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ValueError("no table is free")

    assert use(fail) == ("The tool failed: ValueError: no table is free", True)
    (record,) = caplog.records
    assert record.exc_info
    assert "tool" in record.getMessage()


def test_a_provider_that_fails_is_told_without_a_traceback(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise ProviderError(Failure.UNREACHABLE, "the booking system does not answer")

    assert use(fail) == ("The tool failed: the booking system does not answer", True)
    assert caplog.records[0].exc_info is None


def test_an_unknown_tool_is_told_which_there_are() -> None:
    toolbox = Toolbox([FunctionTool.of(book), FunctionTool.of(ring)])
    assert asyncio.run(toolbox.use(ToolCall("1", "cook", "{}"), None)) == (
        "There is no tool 'cook'. There are: book, ring.",
        True,
    )
    assert asyncio.run(Toolbox([]).use(ToolCall("1", "x", "{}"), None))[0].endswith("There are: none at all.")


# Time and threads


def test_a_slow_tool_is_given_up() -> None:
    async def slow() -> None:
        await asyncio.sleep(1_000)

    async def story() -> None:
        for tool, limit in ((FunctionTool.of(slow, timeout=3), 3), (FunctionTool.of(slow), 7)):
            began = asyncio.get_running_loop().time()
            text, failed = await Toolbox([tool], 7).use(ToolCall("1", "slow", ""), None)
            assert (text, failed) == (f"The tool took longer than {limit} s. It may have been used all the same.", True)
            assert asyncio.get_running_loop().time() - began == limit

    world.run(story())


def test_a_tools_own_time_out_is_a_failure_like_others(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise TimeoutError("the till")

    assert use(fail) == ("The tool failed: TimeoutError: the till", True)
    assert len(caplog.records) == 1


def test_what_is_not_async_runs_in_a_thread_with_its_context() -> None:
    caller = contextvars.ContextVar("caller", default="")

    def where() -> list[object]:
        return [threading.current_thread() is threading.main_thread(), caller.get()]

    async def inside() -> list[object]:
        return where()

    class Here:
        async def __call__(self) -> list[object]:
            return where()

    caller.set("Ada")
    assert use(where) == ('[false,"Ada"]', False)
    for function in (inside, partial(inside), Here()):
        assert use(function) == ('[true,"Ada"]', False)


def test_tools_get_the_call() -> None:
    said: list[object] = []

    def greet(call: CallHandle, name: str) -> None:
        call.say(f"Hello {name}.")

    async def story() -> None:
        handle = CallHandle(said.append, lambda: ())
        assert await Toolbox([FunctionTool.of(greet)]).use(ToolCall("1", "greet", '{"name": "Ada"}'), handle) == (
            "done",
            False,
        )
        await asyncio.sleep(0)

    asyncio.run(story())
    assert said == [SayOrdered("Hello Ada.")]


def test_tools_run_side_by_side_and_outlive_the_call_a_little(caplog: pytest.LogCaptureFixture) -> None:
    async def wait(seconds: float) -> str:
        await asyncio.sleep(seconds)
        return f"{seconds:g}"

    async def story() -> None:
        delivered: list[ToolReturned] = []
        handle = CallHandle(lambda _: None, lambda: ())
        runs = ToolRuns(Toolbox([FunctionTool.of(wait)]), handle, delivered.append)
        for request, time in ((1, 3), (2, 1), (3, 60)):
            runs.run(RunTool(request, ToolCall(str(request), "wait", f'{{"seconds": {time}}}')))
        await asyncio.sleep(2)
        assert delivered == [ToolReturned(2, "1")]
        await runs.finish()
        assert delivered == [ToolReturned(2, "1"), ToolReturned(1, "3")]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await runs.finish()

    world.run(story())
    assert [record.getMessage() for record in caplog.records] == [
        "The call is over: 1 tools that were still running are stopped"
    ]


# Agents


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
