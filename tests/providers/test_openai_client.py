"""The shared client: checked keys, errors in one line without the key, one pool per loop, and no import before use."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest
from openai_kit import KEY, SUBJECTS, Subject, drain, talk

from offhook.errors import ConfigurationError, Failure
from offhook.providers import openai_client
from offhook.providers.models.openai_chat import OpenAIModel
from offhook.providers.openai_client import Account, OpenAIError
from offhook.providers.voices.openai import OpenAIVoice
from offhook.simulator.openai_server import Fault, LocalOpenAI, Script, Stage, Trouble

pytestmark = pytest.mark.usefixtures("either_client")

every_provider = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


async def problem(provider: Any) -> str:
    with pytest.raises(ConfigurationError) as raised:
        await provider.ready()
    await provider.aclose()
    return str(raised.value)


@every_provider
def test_a_wrong_key_is_said_once_in_one_line(subject: Subject) -> None:
    async def story() -> None:
        async with LocalOpenAI(Script(key="another")) as server:
            words = await problem(subject.on(server))
            assert "OPENAI_API_KEY" in words
            assert "\n" not in words
            assert KEY not in words
            assert len(server.requests) == 1

    asyncio.run(story())


@every_provider
def test_a_missing_key_is_a_configuration_error(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY"):
        monkeypatch.delenv(name, raising=False)

    async def story() -> None:
        async with LocalOpenAI() as server:
            provider = subject.make(base_url=server.base_url)
            assert "OPENAI_API_KEY is not set" in await problem(provider)
            with pytest.raises(ConfigurationError, match="OPENAI_API_KEY is not set"):
                await drain(subject.ask(provider))
            assert list(server.requests) == []

    asyncio.run(story())


@every_provider
def test_an_unknown_model_is_named(subject: Subject) -> None:
    async def story() -> None:
        async with LocalOpenAI(Script(models=["something-else"])) as server:
            assert "has no model" in await problem(subject.on(server))

    asyncio.run(story())


@every_provider
def test_a_server_without_a_list_of_models_is_ready(subject: Subject) -> None:
    async def story() -> None:
        async with LocalOpenAI(Script(models=None)) as server:
            provider = subject.on(server)
            await provider.ready()
            await provider.aclose()

    asyncio.run(story())


def test_key_and_address_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with LocalOpenAI(Script(key=KEY, replies=["Yes."])) as server:
            monkeypatch.setenv("OPENAI_API_KEY", KEY)
            monkeypatch.setenv("OPENAI_BASE_URL", server.base_url)
            model = OpenAIModel("gpt-4o")
            assert (await drain(model.reply(talk("hello"))))[0] == "Yes."
            await model.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("address", ["api.openai.com/v1", "ftp://api.openai.com", "https://", "://"])
def test_an_address_that_is_none_is_a_configuration_error(address: str) -> None:
    async def story() -> None:
        with pytest.raises(ConfigurationError, match="must look like https://"):
            Account(KEY, address).client()

    asyncio.run(story())


def test_a_client_that_there_is_not_is_a_configuration_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_OPENAI_CLIENT", "fast")

    async def story() -> None:
        with pytest.raises(ConfigurationError, match="lean or sdk"):
            Account(KEY).client()

    asyncio.run(story())


def test_a_server_that_repeats_the_key_does_not_make_us_repeat_it() -> None:
    async def story() -> None:
        account = Account(KEY, "http://127.0.0.1:9/v1")
        account.client()
        error = account.refused("openai/x", 400, {"message": f"what is\n{KEY}? or sk-other-one"}, {})
        assert str(error) == "openai/x: 400, what is ***? or ***"
        assert KEY not in repr(account) + repr(vars(OpenAIModel("gpt-4o", api_key=KEY))["_account"])
        await account.aclose()

    asyncio.run(story())


def test_a_key_is_masked_before_the_words_are_cut() -> None:
    async def story() -> str:
        key = "gsk_a_secret_of_ours"
        return str(Account(key).refused("openai/x", 400, {"message": "." * 190 + f"{key} " * 9}, {}))

    words = asyncio.run(story())
    assert "gsk" not in words
    assert len(words) < 220


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", Failure.REFUSED),
        (401, "", Failure.REFUSED),
        (403, "", Failure.REFUSED),
        (404, "model_not_found", Failure.REFUSED),
        (408, "", Failure.TIMEOUT),
        (429, "rate_limit_exceeded", Failure.OVERLOADED),
        (429, "insufficient_quota", Failure.REFUSED),
        (500, "", Failure.BROKEN),
        (502, "", Failure.UNREACHABLE),
        (503, "", Failure.OVERLOADED),
        (504, "", Failure.UNREACHABLE),
    ],
)
def test_a_status_has_a_kind(status: int, code: str, kind: Failure) -> None:
    async def story() -> OpenAIError:
        return Account(KEY).refused("openai/x", status, {"code": code, "message": "m"}, {"retry-after": "2.5"})

    error = asyncio.run(story())
    assert (error.kind, error.status, error.retry_after) == (kind, status, 2.5)


def test_providers_of_one_account_share_connections() -> None:
    async def story() -> None:
        async with LocalOpenAI(Script(replies=["Yes."])) as server:
            providers: list[Any] = [
                *(OpenAIModel("gpt-4o", api_key=KEY, base_url=server.base_url) for _ in range(3)),
                OpenAIVoice(api_key=KEY, base_url=server.base_url),
            ]
            for provider in providers:
                await provider.ready()
            assert server.connections == 1
            for provider in providers[:-1]:
                await provider.aclose()
            assert await drain(providers[-1].speak("one"))
            assert server.connections == 1
            await providers[-1].aclose()
            await providers[-1].aclose()

    asyncio.run(story())
    asyncio.run(story())


@every_provider
@pytest.mark.parametrize("trouble", [Trouble.BROKEN, Trouble.OVERLOADED, Trouble.UNAUTHORIZED, Trouble.CLOSE])
def test_a_failure_costs_one_request(subject: Subject, trouble: Trouble) -> None:
    """Nothing is tried twice. Only a session over a WebSocket is opened anew, where that can help."""

    async def story() -> None:
        async with LocalOpenAI(Script(transcripts=["a b"], faults=[Fault(subject.stage, trouble)])) as server:
            provider = subject.on(server)
            with pytest.raises(OpenAIError) as raised:
                await drain(subject.ask(provider))
            again = subject.stage is Stage.REALTIME and raised.value.retryable and not raised.value.retry_after
            assert len(server.requests) == (3 if again else 1)
            await provider.aclose()

    asyncio.run(story())


def test_libraries_are_imported_only_when_they_are_used() -> None:
    program = """
import asyncio, os, sys
from offhook.providers.transcribers import openai, openai_realtime
from offhook.providers.models import openai_chat
from offhook.providers.voices import openai as voice
from offhook.providers.openai_client import Account, OpenAIError
voice.OpenAIVoice(api_key="x"), openai.OpenAITranscriber(), openai_chat.OpenAIModel("m")
found = {"openai", "httpx2", "aiohttp", "pydantic", "websockets", "soxr"} & set(sys.modules)
assert not found, found
async def ask():
    account = Account("x", "http://127.0.0.1:9/v1")
    try:
        await account.ready("m", "x")
    except OpenAIError:
        await account.aclose()
asyncio.run(ask())
assert ("openai" in sys.modules) is (os.environ["OFFHOOK_OPENAI_CLIENT"] == "sdk")
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unused_client_is_not_kept_for_a_loop_that_is_gone() -> None:
    async def story() -> None:
        Account(KEY).client()

    asyncio.run(story())
    assert not [loop for loop in openai_client._clients if not loop.is_closed()]
