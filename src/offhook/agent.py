"""What a user writes: who picks up the phone, and with which ears, mind and voice."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from offhook.call.config import CallConfig, Limits, Phrases
from offhook.conversation.flow import Flow
from offhook.errors import ConfigurationError
from offhook.timebase import Duration, seconds
from offhook.turns.patience import Patience

Generator = Callable[..., AsyncIterator[str]]
"""An async generator function `(call, history) -> text pieces` that writes replies."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """One agent. It may serve any number of calls at once, so it holds no state of a call.

    `stt`, `llm` and `tts` name a provider as "vendor/model" (or "local", "scripted"), or are an instance of one, or a
    list in order of preference; `llm` also takes a `Flow` or an async generator function. `language` is ISO 639-1.
    `speculate=False` begins no work before a turn is over.
    """

    instructions: str = ""
    greeting: str = ""
    stt: Any = "local"
    llm: Any = None
    tts: Any = "local"
    language: str = "en"
    patience: Patience = field(default_factory=Patience)
    phrases: Phrases = field(default_factory=Phrases)
    limits: Limits = field(default_factory=Limits)
    speculate: bool = True

    def __post_init__(self) -> None:
        if self.llm is None:
            raise ConfigurationError(
                "An agent needs somebody to decide what to say: pass llm= a Flow, a provider's name such as "
                '"openai/gpt-5-mini", or an async generator function (call, history).'
            )
        if isinstance(self.llm, Flow) and (self.instructions or self.greeting):
            raise ConfigurationError("A Flow brings its own texts: leave out instructions= and greeting=.")
        if not self.language.isalpha():
            raise ConfigurationError(f"language={self.language!r} is no ISO 639-1 code such as 'en'.")

    @property
    def flow(self) -> Flow | None:
        """The flow, where one takes the place of a language model."""
        return self.llm if isinstance(self.llm, Flow) else None

    def config(self, *, model_is_speculative: bool = True, recordings: dict[str, bytes] | None = None) -> CallConfig:
        """What a call of this agent is told. Everything in it goes on the tape."""
        return CallConfig(
            instructions=self.instructions,
            greeting=self.greeting,
            language=self.language,
            flow=self.flow,
            speculate=self.speculate,
            model_is_speculative=model_is_speculative,
            patience=self.patience,
            phrases=self.phrases,
            limits=self.limits,
            recordings=recordings or {},
        )


def patience(**waits: float) -> Patience:
    """A `Patience` from seconds: `patience(pause=0.9, idle=12)`. Unnamed waits keep their defaults."""
    changes: dict[str, Duration] = {name: seconds(value) for name, value in waits.items()}
    try:
        return Patience(**changes)
    except TypeError:
        known = ", ".join(Patience.__struct_fields__)
        raise ConfigurationError(f"patience() knows these waits: {known}; not {', '.join(waits)}.") from None
