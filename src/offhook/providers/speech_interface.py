"""What a speech model has to be: one that hears the caller itself, and answers aloud.

It takes the place of transcriber, language model and voice. Who has the floor is still decided by us: what the caller
said is given to it turn by turn, and it speaks when it is asked to. Numbers are those of the call's requests.
"""

from collections.abc import AsyncIterator
from typing import Protocol, TypeAlias, runtime_checkable

from offhook.conversation.messages import Message
from offhook.conversation.tools import ToolCall, ToolSpec
from offhook.providers.interfaces import Transcript, Usage, Utterance
from offhook.values import Value

SpokenPiece: TypeAlias = str | bytes | ToolCall | Usage
"""The next words of a reply, the next of its sound (mu-law at 8 kHz), a call of a tool, or what the reply cost."""


class Briefing(Value, frozen=True):
    """What a speech model is told before a call. `language` is ISO 639-1, "" unknown."""

    instructions: str = ""
    language: str = ""
    tools: tuple[ToolSpec, ...] = ()


@runtime_checkable
class SpeechSession(Protocol):
    """One call's conversation. What is asked of it belongs to the conversation from the first step of its iterator on,
    in that order; iterators raise `ProviderError`, and closing one ends the work without a wait."""

    def open(self) -> None:
        """Connect before there is something to do. Raises `ConfigurationError`."""
        ...

    def hear(self, number: int, utterance: Utterance) -> AsyncIterator[Transcript]:
        """The caller says this. Yields its words, growing; the last are final, and not understood where there is no
        telling. To close the iterator is to forgo the words only."""
        ...

    def reply(self, number: int) -> AsyncIterator[SpokenPiece]:
        """Answer what the conversation has come to. To close the iterator is to want no more of the reply."""
        ...

    def speak(self, number: int, text: str) -> AsyncIterator[bytes]:
        """Say `text` in the model's voice, as mu-law at 8 kHz. It is no part of the conversation: see `note`."""
        ...

    def cut(self, number: int, heard: int, words: str) -> None:
        """The caller has heard `heard` samples of a reply, these words, and will hear no more of it: the model must
        not believe that it said the rest."""
        ...

    def forget(self, number: int) -> None:
        """What was heard or replied under this number is no part of the conversation: the caller went on."""
        ...

    def note(self, message: Message) -> None:
        """Something else was said, pressed, or returned by a tool (role `tool`). What we said comes before what the
        caller was heard to say over it: turns that have not been answered."""
        ...

    async def aclose(self) -> None:
        """Hang up."""
        ...


@runtime_checkable
class SpeechModel(Protocol):
    """Holds conversations aloud. One instance serves many calls at once."""

    def session(self, briefing: Briefing) -> SpeechSession:
        """A conversation of its own for one call. Whoever asks for it closes it."""
        ...

    async def ready(self) -> None: ...

    async def aclose(self) -> None: ...
