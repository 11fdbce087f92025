"""`POST /v1/responses`: a reply as a stream of named events."""

import asyncio
from typing import Any

from offhook.simulator.openai_server import chat
from offhook.simulator.openai_server.answers import SSE, Answer
from offhook.simulator.openai_server.histories import check_items
from offhook.simulator.openai_server.script import Script, ToolUse


async def respond(script: Script, answer: Answer, asked: dict[str, Any]) -> None:
    """One message if there is text, and one item for each call of a tool."""
    chat.check(script, asked, "input")
    check_items(asked["input"])
    turn = script.answer(asked["input"])
    tokens = chat.words(turn.text)
    await asyncio.sleep(script.reply.delay(answer.random))
    await answer.begin(SSE)
    await answer.event({"type": "response.created", "response": {"id": "resp_local", "status": "in_progress"}})
    if tokens:
        await _message(script, answer, tokens)
    for index, tool in enumerate(turn.tools, start=bool(tokens)):
        await _tool(answer, index, tool)
    count = {"input_tokens": chat.prompt_tokens(asked["input"]), "output_tokens": len(tokens)}
    details = {"input_tokens_details": {"cached_tokens": turn.cached}}
    usage = count | details | {"total_tokens": sum(count.values())}
    response = {"id": "resp_local", "status": "completed", "usage": usage}
    await answer.event({"type": "response.completed", "response": response})


async def _message(script: Script, answer: Answer, tokens: list[str]) -> None:
    item = {"type": "message", "id": "msg_local", "role": "assistant"}
    place = {"item_id": "msg_local", "output_index": 0, "content_index": 0}
    await answer.event({"type": "response.output_item.added", "output_index": 0, "item": item})
    for number, token in enumerate(tokens):
        if number:
            await asyncio.sleep(script.reply.then)
        await answer.event({"type": "response.output_text.delta", **place, "delta": token})
    await answer.event({"type": "response.output_text.done", **place, "text": "".join(tokens)})
    await answer.event({"type": "response.output_item.done", "output_index": 0, "item": item})


async def _tool(answer: Answer, index: int, tool: ToolUse) -> None:
    call_id = f"call_{answer.request.number}_{index}"
    item = {"type": "function_call", "id": f"fc_{index}", "call_id": call_id, "name": tool.name}
    place = {"item_id": item["id"], "output_index": index}
    added = {"type": "response.output_item.added", "output_index": index, "item": item | {"arguments": ""}}
    await answer.event(added)
    for part in chat.cut(tool.arguments):
        await answer.event({"type": "response.function_call_arguments.delta", **place, "delta": part})
    done = {"type": "response.function_call_arguments.done", **place, "arguments": tool.arguments}
    await answer.event(done)
    whole = item | {"arguments": tool.arguments}
    await answer.event({"type": "response.output_item.done", "output_index": index, "item": whole})
