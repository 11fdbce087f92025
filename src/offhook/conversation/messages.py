"""The conversation as a language model reads it."""

from enum import StrEnum

from offhook.values import Value


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Message(Value, frozen=True):
    """One turn. An assistant's message holds what the caller heard, not what was written."""

    role: Role
    text: str
