"""`POST /v1/chat/completions`: a reply as a stream of chunks."""

import asyncio
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from offhook.simulator.openai_server.answers import SSE, Answer, ApiError
from offhook.simulator.openai_server.histories import check_messages
from offhook.simulator.openai_server.script import Script, ToolUse


async def complete(script: Script, answer: Answer, asked: dict[str, Any]) -> None:
    """Words as tokens; calls of tools in fragments, those of parallel calls mixed."""
    check(script, asked, "messages")
    check_messages(asked["messages"])
    turn = script.answer(asked["messages"])
    await asyncio.sleep(script.reply.delay(answer.random))
    tokens = words(turn.text)
    deltas: list[dict[str, Any]] = [{"content": token} for token in tokens]
    deltas += ({"tool_calls": [fragment]} for fragment in _fragments(turn.tools, answer.request.number))
    await answer.begin(SSE)
    await answer.event(_chunk(asked, {"role": "assistant", "content": ""}))
    for number, delta in enumerate(deltas):
        if number:
            await asyncio.sleep(script.reply.then)
        await answer.event(_chunk(asked, delta))
    await answer.event(_chunk(asked, {}, "tool_calls" if turn.tools else "stop"))
    if (asked.get("stream_options") or {}).get("include_usage"):
        count = {"prompt_tokens": prompt_tokens(asked["messages"]), "completion_tokens": len(deltas)}
        details = {"prompt_tokens_details": {"cached_tokens": turn.cached}}
        await answer.event(_chunk(asked, None) | {"usage": count | details | {"total_tokens": sum(count.values())}})
    await answer.event("[DONE]")


def check(script: Script, asked: dict[str, Any], messages: str) -> None:
    """What both ways to ask for a reply have in common. Raises ApiError."""
    model = asked.get("model")
    if not isinstance(model, str) or not model:
        raise ApiError(400, "you must provide a model parameter", param="model")
    if script.models is not None and model not in script.models:
        raise ApiError(404, f"The model `{model}` does not exist", "model_not_found")
    if not isinstance(asked.get(messages), list) or not asked[messages]:
        raise ApiError(400, f"'{messages}' must be a list with at least one item", param=messages)
    if not asked.get("stream"):
        raise ApiError(400, "this local server only streams: ask with stream=true", "unsupported_value", param="stream")


def words(text: str) -> list[str]:
    """A reply's tokens: each word with the space before it."""
    return re.findall(r"\s*\S+|\s+$", text)


def prompt_tokens(messages: list[dict[str, Any]]) -> int:
    """As many as there are words."""
    return sum(len(str(message.get("content") or "").split()) for message in messages)


def cut(arguments: str) -> list[str]:
    """A tool's arguments as they are streamed."""
    return [arguments[at : at + 5] for at in range(0, len(arguments), 5)]


def _chunk(asked: dict[str, Any], delta: dict[str, Any] | None, finish: str | None = None) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return {
        "id": "chatcmpl-local",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": asked["model"],
        "choices": choices,
    }


def _fragments(tools: tuple[ToolUse, ...], number: int) -> Iterator[dict[str, Any]]:
    for index, tool in enumerate(tools):
        function = {"name": tool.name, "arguments": ""}
        yield {"index": index, "id": f"call_{number}_{index}", "type": "function", "function": function}
    for row in zip_longest(*(cut(tool.arguments) for tool in tools)):
        for index, part in enumerate(row):
            if part is not None:
                yield {"index": index, "function": {"arguments": part}}
