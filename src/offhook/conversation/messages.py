"""The conversation as a language model reads it."""

from enum import StrEnum

from offhook.conversation.tools import ToolCall
from offhook.values import Value


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Message(Value, frozen=True):
    """One turn. An assistant's message holds what the caller heard, not what was written; `calls` are the tools that
    it asked for. Each of them is answered by a message of the role `tool` with its id as `answers`.
    """

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    answers: str = ""
