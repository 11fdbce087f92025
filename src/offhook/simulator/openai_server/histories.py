"""What OpenAI demands of a history with tools: every result has its call before it, every call its result behind it."""

from typing import Any

from offhook.simulator.openai_server.answers import ApiError

Entries = list[dict[str, Any]]


def check_messages(messages: Entries) -> None:
    """Chat Completions: the results of an assistant's calls stand right behind it. Raises ApiError."""
    waiting: list[str] = []
    for at, message in enumerate(messages):
        if message.get("role") == "tool":
            if message.get("tool_call_id") not in waiting:
                words = "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."
                raise ApiError(400, f"Invalid parameter: {words}", param=f"messages.[{at}].role")
            waiting.remove(message["tool_call_id"])
            continue
        _require_answered(waiting)
        waiting = [call["id"] for call in message.get("tool_calls") or ()]
    _require_answered(waiting)


def check_items(items: Entries) -> None:
    """Responses: calls and results anywhere, in this order. Raises ApiError."""
    called: list[str] = []
    for item in items:
        if item.get("type") == "function_call":
            called.append(item["call_id"])
        elif item.get("type") == "function_call_output":
            if item.get("call_id") not in called:
                words = f"No tool call found for function call output with call_id {item.get('call_id')}."
                raise ApiError(400, words, param="input")
            called.remove(item["call_id"])
    if called:
        raise ApiError(400, f"No tool output found for function call {called[0]}.", param="input")


def _require_answered(waiting: list[str]) -> None:
    if waiting:
        raise ApiError(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            f"'tool_call_id'. The following tool_call_ids did not have response messages: {', '.join(waiting)}",
            param="messages",
        )
