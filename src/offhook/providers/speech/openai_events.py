"""What OpenAI's realtime conversations say, and what they are told to be.

https://platform.openai.com/docs/guides/realtime-conversations
"""

import base64
from binascii import Error as NoBase64
from typing import Any

import msgspec

from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall, ToolSpec
from offhook.errors import Failure
from offhook.providers.interfaces import Usage
from offhook.providers.openai_client import OpenAIError
from offhook.providers.speech_interface import Briefing
from offhook.values import Value

MULAW = {"type": "audio/pcmu"}


class Options(Value, frozen=True):
    """The model, its voice, who writes down what the caller says, and more fields of the session, as they are."""

    model: str
    voice: str
    transcriber: str
    parameters: dict[str, Any] = {}


class Item(msgspec.Struct):
    """An item of the conversation."""

    id: str = ""
    type: str = ""
    status: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None


class _CachedDetails(msgspec.Struct):
    cached_tokens: int | None = None


class Cost(msgspec.Struct):
    """Tokens of a response."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    input_token_details: _CachedDetails | None = None


class _Details(msgspec.Struct):
    error: Any = None


class Response(msgspec.Struct):
    """A response, at its beginning and at its end."""

    id: str = ""
    status: str | None = None
    status_details: _Details | None = None
    metadata: dict[str, str] | None = None
    output: list[Item] | None = None
    usage: Cost | None = None


class Event(msgspec.Struct):
    """What the server says; fields that do not belong to a type are empty."""

    type: str = ""
    item_id: str = ""
    response_id: str = ""
    delta: str = ""
    transcript: str = ""
    item: Item | None = None
    response: Response | None = None
    session: dict[str, Any] | None = None
    error: Any = None


_EVENT = msgspec.json.Decoder(Event)


def read(message: bytes) -> Event:
    """An event. One that is JSON, but unlike those that concern us, has the type "". Raises msgspec.DecodeError."""
    try:
        return _EVENT.decode(message)
    except msgspec.ValidationError:
        return Event()


def session(options: Options, briefing: Briefing) -> dict[str, Any]:
    """What a session is to be: mu-law both ways, and no turns but ours."""
    writing = {"model": options.transcriber, "language": briefing.language}
    heard = {
        "format": MULAW,
        "transcription": {name: text for name, text in writing.items() if text},
        "turn_detection": None,
    }
    wanted = {
        "type": "realtime",
        "output_modalities": ["audio"],
        "instructions": briefing.instructions,
        "tools": [_tool(each) for each in briefing.tools],
        "audio": {"input": heard, "output": {"format": MULAW, "voice": options.voice}},
    }
    return {name: value for name, value in wanted.items() if value} | options.parameters


def check(agreed: dict[str, Any] | None, name: str) -> None:
    """Old servers and wrong field names show in the echo: noise would be played, or turns be cut."""
    audio = (agreed or {}).get("audio") or {}
    heard, spoken = audio.get("input") or {}, audio.get("output") or {}
    formats = [(side.get("format") or {}).get("type") for side in (heard, spoken)]
    if formats != [MULAW["type"]] * 2:
        words = f"{name}: the server would not take and give mu-law (audio/pcmu): it says {formats}"
        raise OpenAIError(Failure.REFUSED, words)
    if heard.get("turn_detection") is not None:
        raise OpenAIError(Failure.REFUSED, f"{name}: the server would not leave the turns to us (turn_detection null)")


def items(message: Message) -> list[dict[str, Any]]:
    """A message of ours as items of the conversation."""
    if message.answers:
        return [{"type": "function_call_output", "call_id": message.answers, "output": message.text}]
    kind = "output_text" if message.role is Role.ASSISTANT else "input_text"
    content = [{"type": kind, "text": message.text}]
    said = [{"type": "message", "role": message.role.value, "content": content}] if message.text else []
    return said + [_call(each) for each in message.calls]


def spoken(event: Event, name: str) -> bytes:
    """The sound in an event, as mu-law. Raises OpenAIError."""
    try:
        return base64.b64decode(event.delta, validate=True)
    except (NoBase64, ValueError):
        raise OpenAIError(Failure.BROKEN, f"{name}: the sound is not base64") from None


def calls(response: Response) -> tuple[ToolCall, ...]:
    """The calls of tools in a response that is complete."""
    made = (item for item in response.output or () if item.type == "function_call")
    return tuple(ToolCall(item.call_id or "", item.name or "", item.arguments or "{}") for item in made)


def cost(response: Response) -> Usage:
    """What a response cost."""
    cost = response.usage or Cost()
    cached = (cost.input_token_details or _CachedDetails()).cached_tokens
    return Usage(cost.input_tokens or 0, cost.output_tokens or 0, cached or 0)


def _call(call: ToolCall) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}


def _tool(spec: ToolSpec) -> dict[str, Any]:
    return {"type": "function", "name": spec.name, "description": spec.description, "parameters": spec.schema}
