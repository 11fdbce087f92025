"""The providers of one agent, found, checked and ready, for all its calls."""

from collections.abc import Sequence
from dataclasses import dataclass

from offhook.agent import Agent
from offhook.call.config import CallConfig
from offhook.providers import registry
from offhook.providers.interfaces import LanguageModel, Transcriber, Voice


@dataclass(frozen=True, slots=True)
class Services:
    """Ears, minds and voices, each in order of preference."""

    transcribers: Sequence[Transcriber]
    models: Sequence[LanguageModel]
    voices: Sequence[Voice]

    @classmethod
    def of(cls, agent: Agent) -> "Services":
        """Find an agent's providers. Raises ConfigurationError."""
        return cls(
            registry.transcribers(agent.stt),
            [] if agent.flow is not None else registry.models(agent.llm),
            registry.voices(agent.tts),
        )

    def config(self, agent: Agent, recordings: dict[str, bytes] | None = None) -> CallConfig:
        """What a call of the agent is told."""
        speculative = all(model.speculative for model in self.models)
        return agent.config(model_is_speculative=speculative, recordings=recordings)

    async def ready(self) -> None:
        """Have every provider prepare. Raises ConfigurationError or ProviderError."""
        for provider in self._all():
            await provider.ready()

    async def aclose(self) -> None:
        """Let go of everything."""
        for provider in self._all():
            await provider.aclose()

    def _all(self) -> list[Transcriber | LanguageModel | Voice]:
        return [*self.transcribers, *self.models, *self.voices]
