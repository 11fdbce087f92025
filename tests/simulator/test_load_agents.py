"""Who answers in a load test."""

import asyncio

import pytest

from offhook.simulator.load import agents
from offhook.simulator.openai_server.server import LocalOpenAI


def test_who_is_served_asks_the_local_server_whatever_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    async def story() -> None:
        async with LocalOpenAI(agents.script()) as server:
            agent = agents.served(server.base_url)
            for provider in (agent.stt, agent.llm, agent.tts):
                await provider.ready()
                await provider.aclose()
            assert len(server.requests) == 3

    asyncio.run(story())
