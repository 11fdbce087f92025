"""What a conversation is made of: what the caller said, what was answered, and what else was said."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Transcript, Usage
from offhook.providers.openai_client import OpenAIError
from offhook.providers.speech.openai_events import Response, calls
from offhook.timebase import RATE

Result: TypeAlias = Transcript | str | bytes | ToolCall | Usage | ProviderError | None
"""What comes of something; None: no more."""
Put: TypeAlias = Callable[[Result], None]

CALL = -1
"""The length of an item that is a call of a tool."""


@dataclass(eq=False, slots=True)
class Heard:
    """A turn of the caller. `mulaw` is dropped when its words are known."""

    number: int
    mulaw: bytes
    put: Put
    text: str = ""
    known: bool = False
    """Its words are here, or there is no hope for them."""
    items: dict[str, int] = field(default_factory=dict)
    """What the server calls it, and its length in samples."""

    @property
    def message(self) -> Message:
        return Message(Role.USER, self.text)

    def write(self, text: str) -> None:
        """The next of its words."""
        self.text += text
        if self.text.strip():
            self.put(Transcript(self.text.strip(), final=False))

    def complete(self, text: str, *, understood: bool) -> None:
        """All its words are here. If they are not `understood`: the model has heard the caller all the same."""
        self.known, self.text = True, text.strip() if understood else ""
        if understood:
            self.mulaw = b""
        self.put(Transcript(self.text, understood=understood))
        self.put(None)


class State(Enum):
    """How far a reply has come. It is asked for when nothing else is being answered."""

    WAITING = auto()
    ASKED = auto()
    DONE = auto()


@dataclass(eq=False, slots=True)
class Reply:
    """An answer of the model. One that has words to `say` is no part of the conversation."""

    number: int
    put: Put
    say: str = ""
    state: State = State.WAITING
    wanted: bool = True
    forgotten: bool = False
    response: str = ""
    """What the server calls it, once it has begun."""
    items: dict[str, int] = field(default_factory=dict)
    """The items that it consists of: how many samples of each have come."""
    told: bool = False
    """Those items are text, told to a connection that did not make them."""
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    heard: int | None = None
    """How many samples the caller has heard, where that is not all."""
    begun: bool = False
    """Something of it has been handed on: it cannot be made anew unnoticed."""

    @property
    def message(self) -> Message:
        return Message(Role.ASSISTANT, self.text, self.calls)

    def give(self, result: Result) -> None:
        """Hand something on, if somebody wants it."""
        if self.wanted:
            self.begun = True
            self.put(result)

    def write(self, text: str) -> None:
        """The next of its words. After it was cut they are no part of it any more."""
        if self.heard is None:
            self.text += text
        if text:
            self.give(text)

    def complete(self, name: str, response: Response, spent: Usage, error: ProviderError | None) -> None:
        """The server is done with it. Only now is a call of a tool known to be whole."""
        if self.wanted and response.status == "completed":
            self.calls = calls(response)
        for call in self.calls:
            self.give(call)
        if error is None and (response.status == "cancelled" or not self.begun):
            error = OpenAIError(Failure.BROKEN, f"{name}: the reply is {response.status or 'over'} and empty")
        if self.wanted and spent != Usage(0, 0):
            self.put(spent)
        self.end(error)

    def end(self, error: ProviderError | None = None) -> None:
        """Nothing more will come."""
        self.state = State.DONE
        if self.wanted:
            self.wanted = False
            self.put(error)

    def trims(self) -> list[tuple[str, int]]:
        """What of its items has to go: behind how many milliseconds. A call that was not handed on goes, too."""
        left = 0 if self.heard is None else self.heard
        trims = []
        for item, length in self.items.items():
            if length == CALL:
                if not self.calls:
                    trims.append((item, 0))
            elif left < length or left <= 0:
                trims.append((item, max(0, left) * 1_000 // RATE))
            left -= max(0, length)
        return trims


@dataclass(eq=False, slots=True)
class Note:
    """Something that neither side of the server's conversation has said to it."""

    message: Message
    items: dict[str, int] = field(default_factory=dict)


Entry: TypeAlias = Heard | Reply | Note
