"""Replies from OpenAI: text as it is written, calls of tools put together, parameters passed on, tokens counted."""

import asyncio
from typing import Any

import pytest
from openai_kit import KEY, drain, talk

from offhook.errors import ConfigurationError, Failure
from offhook.providers.models import openai_chat, openai_responses
from offhook.providers.models.events import TextPiece, ToolCall, ToolSpec, Usage
from offhook.providers.models.openai_base import OpenAIWriter
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.models.openai_responses import OpenAIResponsesModel
from offhook.providers.openai_client import OpenAIError
from offhook.simulator.openai_server import LocalOpenAI, Script, ToolUse, Turn

BOTH = pytest.mark.parametrize("kind", [OpenAIModel, OpenAIResponsesModel])
WEATHER = ToolSpec("weather", "What it is like outside.", {"type": "object", "properties": {"city": {}}})


def ask(kind: type[OpenAIWriter], script: Script, *users: str, **parameters: Any) -> tuple[list[Any], Any, Any]:
    """The events of one reply, the model, and what the server was asked."""

    async def story() -> tuple[list[Any], Any, Any]:
        async with LocalOpenAI(script) as server:
            model = kind("gpt-4o", api_key=KEY, base_url=server.base_url, **parameters)
            found = await drain(model.events(talk(*users), [WEATHER]))
            await model.aclose()
            return found, model, server.requests[0].asked

    return asyncio.run(story())


@BOTH
def test_parallel_calls_are_put_together_from_their_fragments(kind: type[OpenAIWriter]) -> None:
    tools = (ToolUse("weather", '{"city": "Reykjavík"}'), ToolUse("weather", '{"city": "Rome"}'), ToolUse("clock"))
    found, model, _ = ask(kind, Script(replies=[Turn("Let me see.", tools)]), "how is the weather")
    assert [event.text for event in found if isinstance(event, TextPiece)] == ["Let", " me", " see."]
    calls = [event for event in found if isinstance(event, ToolCall)]
    assert [(call.name, call.arguments) for call in calls] == [(tool.name, tool.arguments) for tool in tools]
    assert len({call.id for call in calls}) == 3
    assert isinstance(found[-1], Usage)
    assert (model.tokens_in, model.tokens_out) == (found[-1].input, found[-1].output) == (4, model.tokens_out)
    assert model.tokens_out >= 3


@BOTH
def test_the_request_has_history_tools_and_parameters(kind: type[OpenAIWriter]) -> None:
    _, _, asked = ask(kind, Script(), "hello", "again", temperature=0.3, made_up={"a": 1})
    messages = asked["messages" if kind is OpenAIModel else "input"]
    assert messages == [{"role": "user", "content": "hello"}, {"role": "user", "content": "again"}]
    assert (asked["temperature"], asked["made_up"], asked["model"]) == (0.3, {"a": 1}, "gpt-4o")
    assert "weather" in str(asked["tools"])
    assert asked.get("store", False) is False


@BOTH
@pytest.mark.parametrize("reply", [Turn(""), Turn("", (ToolUse("weather"),)), Turn(" \n")])
def test_a_reply_without_text_is_no_reply(kind: type[OpenAIWriter], reply: Turn) -> None:
    async def story() -> None:
        async with LocalOpenAI(Script(replies=[reply])) as server:
            model = kind("gpt-4o", api_key=KEY, base_url=server.base_url)
            with pytest.raises(OpenAIError, match="empty") as raised:
                await drain(model.reply(talk("hello")))
            assert raised.value.kind is Failure.BROKEN
            await model.aclose()

    asyncio.run(story())


def test_names_choose_the_interface() -> None:
    assert isinstance(openai_chat.language_model("gpt-4o"), OpenAIModel)
    assert isinstance(openai_chat.language_model("responses:gpt-4o"), OpenAIResponsesModel)
    assert isinstance(openai_chat.language_model("llama3:8b"), OpenAIModel)
    assert isinstance(openai_responses.language_model("gpt-4o"), OpenAIResponsesModel)
    for make in (openai_chat.language_model, openai_responses.language_model):
        with pytest.raises(ConfigurationError, match="which model"):
            make("")
