"""A user's own async generator as a language model."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Conversation

Reply = Callable[[Any, list[dict[str, str]]], AsyncGenerator[str, None]]
"""Given the call (an `offhook.CallHandle`) and its history, as `{"role": "system" | "user" | "assistant",
"content": …}`, the shape that chat APIs take, with the caller's last words at the end; yields the reply piece by
piece."""


class GeneratorModel:
    """Asks a function of the user's. Never ahead of time: nobody knows what else the function does."""

    speculative = False

    def __init__(self, function: Reply) -> None:
        self._function = function

    async def reply(self, conversation: Conversation) -> AsyncIterator[str]:
        """Whatever the function raises passes through."""
        history = [{"role": message.role.value, "content": message.text} for message in conversation.messages]
        async with aclosing(self._function(conversation.call, history)) as pieces:
            async for piece in pieces:
                if not isinstance(piece, str):
                    raise ProviderError(Failure.BROKEN, f"the reply function yielded {piece!r:.40}, which is no text")
                yield piece

    async def ready(self) -> None:
        """Always ready."""

    async def aclose(self) -> None:
        """Nothing to let go of: every generator is closed with its request."""
