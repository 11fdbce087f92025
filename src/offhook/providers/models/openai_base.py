"""What OpenAI's two ways to ask for a reply have in common."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, ClassVar

from offhook.errors import Failure
from offhook.providers.interfaces import Conversation
from offhook.providers.models.events import ReplyEvent, TextPiece, ToolSpec, Usage
from offhook.providers.openai_client import TIMEOUT, Account, OpenAIError


class OpenAIWriter(ABC):
    """Asks `model` for replies; `parameters` are sent along as they are. `tokens_in` and `tokens_out` count what was
    used."""

    vendor: ClassVar[str]
    speculative = True

    def __init__(
        self,
        model: str,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = TIMEOUT,
        **parameters: Any,
    ) -> None:
        self.tokens_in = self.tokens_out = 0
        self._model = model
        self._parameters = parameters
        self._account = Account(api_key, base_url, timeout)
        self._name = f"{self.vendor}/{model}"

    async def reply(self, conversation: Conversation) -> AsyncIterator[str]:
        """Raises ProviderError also where nothing was written: silence is no reply."""
        empty = True
        async with aclosing(self.events(conversation)) as events:
            async for event in events:
                if isinstance(event, TextPiece):
                    empty = empty and not event.text.strip()
                    yield event.text
        if empty:
            raise OpenAIError(Failure.BROKEN, f"{self._name}: the reply is empty")

    async def events(
        self, conversation: Conversation, tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ReplyEvent, None]:
        """The reply with everything that belongs to it. It ends with the whole answer or raises ProviderError."""
        with self._account.failures(self._name):
            request = {
                "model": self._model,
                "stream": True,
                **self._request(conversation, tools),
                "extra_body": self._parameters,
                "timeout": self._account.timeout,
            }
            create = self._create(self._account.client())
            async with create(**request) as response, aclosing(self._read(response)) as events:
                async for event in events:
                    if isinstance(event, Usage):
                        self.tokens_in += event.input
                        self.tokens_out += event.output
                    yield event

    async def ready(self) -> None:
        await self._account.ready(self._model, self._name)

    async def aclose(self) -> None:
        await self._account.aclose()

    def _broken_off(self) -> OpenAIError:
        return OpenAIError(Failure.BROKEN, f"{self._name}: the stream stopped before the end of the reply")

    @abstractmethod
    def _create(self, client: Any) -> Callable[..., Any]:
        """The SDK's method, in its streamed form."""

    @abstractmethod
    def _request(self, conversation: Conversation, tools: Sequence[ToolSpec]) -> dict[str, Any]:
        """What this interface is asked."""

    @abstractmethod
    def _read(self, response: Any) -> AsyncGenerator[ReplyEvent, None]:
        """What this interface answers."""
