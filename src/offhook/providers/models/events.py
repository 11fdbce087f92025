"""What a language model's answer is made of, tools included."""

from typing import Any, TypeAlias

from offhook.values import Value


class ToolSpec(Value, frozen=True):
    """A tool that a model may call. `schema` is the JSON schema of its arguments."""

    name: str
    description: str
    schema: dict[str, Any]


class ToolCall(Value, frozen=True):
    """A call that the model has written; `arguments` is JSON as the model wrote it, which need not be valid."""

    id: str
    name: str
    arguments: str


class Usage(Value, frozen=True):
    """What a reply cost, in tokens."""

    input: int
    output: int


class TextPiece(Value, frozen=True):
    """The next piece of text; pieces are joined without a separator."""

    text: str


ReplyEvent: TypeAlias = TextPiece | ToolCall | Usage
"""Text comes as it is written, calls of tools when they are complete, usage at the end if at all."""
