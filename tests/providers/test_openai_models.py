"""Replies from OpenAI: text as it is written, calls of tools put together, histories retold, tokens counted."""

import asyncio
from typing import Any

import pytest
from openai_kit import KEY, drain, talk

from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall, ToolSpec
from offhook.errors import ConfigurationError, Failure
from offhook.providers.interfaces import Conversation, Usage
from offhook.providers.models import openai_chat, openai_responses
from offhook.providers.models.openai_base import OpenAIWriter, Piece
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.models.openai_responses import OpenAIResponsesModel
from offhook.providers.openai_client import OpenAIError
from offhook.simulator.openai_server import LocalOpenAI, Script, ToolUse, Turn

pytestmark = pytest.mark.usefixtures("either_client")

BOTH = pytest.mark.parametrize("kind", [OpenAIModel, OpenAIResponsesModel])
WEATHER = ToolSpec("weather", "What it is like outside.", {"type": "object", "properties": {"city": {}}})
ROME, OSLO = ToolCall("call_a", "weather", '{"city": "Rome"}'), ToolCall("call_b", "weather", '{"city": "Oslo"}')
TOOLS_USED: tuple[Message, ...] = (
    Message(Role.SYSTEM, "Be brief."),
    Message(Role.USER, "Is it warmer in Rome or in Oslo?"),
    Message(Role.ASSISTANT, "Let me see.", (ROME, OSLO)),
    Message(Role.TOOL, "31 degrees", answers="call_a"),
    Message(Role.TOOL, "", answers="call_b"),
)


def ask(
    kind: type[OpenAIWriter], script: Script, conversation: Conversation, **parameters: Any
) -> tuple[list[Piece], dict[str, Any]]:
    """One reply, and what the server was asked."""

    async def story() -> tuple[list[Piece], dict[str, Any]]:
        async with LocalOpenAI(script) as server:
            model = kind("gpt-4o", api_key=KEY, base_url=server.base_url, **parameters)
            try:
                return await drain(model.reply(conversation)), server.requests[0].asked
            finally:
                await model.aclose()

    return asyncio.run(story())


@BOTH
def test_parallel_calls_are_put_together_from_their_fragments(kind: type[OpenAIWriter]) -> None:
    tools = (ToolUse("weather", '{"city": "Reykjavík"}'), ToolUse("weather", '{"city": "Rome"}'), ToolUse("clock"))
    pieces, _ = ask(kind, Script(replies=[Turn("Let me see.", tools)]), talk("how is the weather"))
    assert pieces[:3] == ["Let", " me", " see."]
    calls = [piece for piece in pieces if isinstance(piece, ToolCall)]
    assert [(call.name, call.arguments) for call in calls] == [(tool.name, tool.arguments) for tool in tools]
    assert len({call.id for call in calls}) == 3
    assert pieces == [*pieces[:3], *calls, pieces[-1]]


@BOTH
def test_what_a_reply_cost_comes_at_its_end(kind: type[OpenAIWriter]) -> None:
    pieces, _ = ask(kind, Script(replies=[Turn("It is warm.", cached=3)]), talk("how is the weather"))
    assert pieces == ["It", " is", " warm.", Usage(input=4, output=3, cached=3)]


@BOTH
def test_calls_without_text_are_a_reply(kind: type[OpenAIWriter]) -> None:
    pieces, _ = ask(kind, Script(replies=[Turn("", (ToolUse("weather"),))]), talk("hello"))
    assert [type(piece) for piece in pieces] == [ToolCall, Usage]


@BOTH
@pytest.mark.parametrize("reply", ["", " \n"])
def test_a_reply_without_text_and_calls_is_a_failure(kind: type[OpenAIWriter], reply: str) -> None:
    with pytest.raises(OpenAIError, match="empty") as raised:
        ask(kind, Script(replies=[reply]), talk("hello"))
    assert raised.value.kind is Failure.BROKEN


@BOTH
def test_the_request_has_history_tools_and_parameters(kind: type[OpenAIWriter]) -> None:
    conversation = Conversation(talk("hello", "again").messages, (WEATHER,))
    _, asked = ask(kind, Script(), conversation, temperature=0.3, made_up={"a": 1})
    messages = asked["messages" if kind is OpenAIModel else "input"]
    assert messages == [{"role": "user", "content": "hello"}, {"role": "user", "content": "again"}]
    assert (asked["temperature"], asked["made_up"], asked["model"]) == (0.3, {"a": 1}, "gpt-4o")
    assert asked.get("store", False) is False
    [tool] = asked["tools"]
    described = tool["function"] if kind is OpenAIModel else tool
    assert (tool["type"], described["name"], described["parameters"]) == ("function", "weather", WEATHER.schema)
    assert described["description"] == "What it is like outside."


@BOTH
def test_without_tools_none_are_offered(kind: type[OpenAIWriter]) -> None:
    _, asked = ask(kind, Script(), talk("hello"))
    assert "tools" not in asked


def test_a_history_with_tools_is_retold_to_chat_completions() -> None:
    pieces, asked = ask(OpenAIModel, Script(replies=["?", "Rome."]), Conversation(TOOLS_USED, (WEATHER,)))
    assert pieces[0] == "Rome."
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in (ROME, OSLO)
    ]
    assert asked["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it warmer in Rome or in Oslo?"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "call_a", "content": "31 degrees"},
        {"role": "tool", "tool_call_id": "call_b", "content": ""},
    ]


def test_a_history_with_tools_is_retold_to_responses() -> None:
    pieces, asked = ask(OpenAIResponsesModel, Script(replies=["?", "?", "Rome."]), Conversation(TOOLS_USED, (WEATHER,)))
    assert pieces[0] == "Rome."
    assert asked["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Is it warmer in Rome or in Oslo?"},
        {"role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_a", "name": "weather", "arguments": ROME.arguments},
        {"type": "function_call", "call_id": "call_b", "name": "weather", "arguments": OSLO.arguments},
        {"type": "function_call_output", "call_id": "call_a", "output": "31 degrees"},
        {"type": "function_call_output", "call_id": "call_b", "output": ""},
    ]


@BOTH
def test_calls_that_nothing_was_said_with_have_no_empty_words(kind: type[OpenAIWriter]) -> None:
    silent = (Message(Role.USER, "hm"), Message(Role.ASSISTANT, "", (ROME,)), Message(Role.TOOL, "31", answers=ROME.id))
    _, asked = ask(kind, Script(), Conversation(silent))
    if kind is OpenAIModel:
        assert asked["messages"][1]["content"] is None
    else:
        assert [item.get("role", item.get("type")) for item in asked["input"]] == [
            "user",
            "function_call",
            "function_call_output",
        ]


@BOTH
@pytest.mark.parametrize("kept", [slice(0, 3), slice(0, 4), slice(3, None)], ids=["no result", "one result", "no call"])
def test_a_history_that_forgot_half_of_a_tools_use_is_refused(kind: type[OpenAIWriter], kept: slice) -> None:
    """By OpenAI, that is: whoever tells the history has to keep the two together."""
    with pytest.raises(OpenAIError, match=r"400.*(tool_calls|function call)") as raised:
        ask(kind, Script(), Conversation(TOOLS_USED[kept]))
    assert raised.value.kind is Failure.REFUSED


def test_names_choose_the_interface() -> None:
    assert isinstance(openai_chat.language_model("gpt-4o"), OpenAIModel)
    assert isinstance(openai_chat.language_model("responses:gpt-4o"), OpenAIResponsesModel)
    assert isinstance(openai_chat.language_model("llama3:8b"), OpenAIModel)
    assert isinstance(openai_responses.language_model("gpt-4o"), OpenAIResponsesModel)
    for make in (openai_chat.language_model, openai_responses.language_model):
        with pytest.raises(ConfigurationError, match="which model"):
            make("")
