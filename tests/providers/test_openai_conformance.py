"""Each OpenAI provider streams, lets itself be cancelled at once, fails by kind and holds on to nothing."""

import asyncio
from contextlib import suppress

import pytest
from openai_kit import KEY, SUBJECTS, Subject, drain

from offhook.audio.resample import Resampler
from offhook.conversation.expectation import Expectation
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import LanguageModel, Transcriber, Transcript, Utterance, Voice
from offhook.providers.openai_client import OpenAIError
from offhook.simulator.openai_server import Fault, LocalOpenAI, Pace, Script, Stage, Trouble

SCRIPT = Script(
    transcripts=["two pounds of flour"] * 100,
    replies=["Two pounds it is."],
    transcription=Pace(0.02, 0.005),
    reply=Pace(0.02, 0.005),
    speech=Pace(0.02, 0.005),
    word_seconds=0.1,
)
PATIENCE = 0.3
"""Seconds that a provider waits for what does not come."""

every_provider = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


async def settled(server: LocalOpenAI, closed: bool = True) -> None:
    """Until the server has noticed that all requests are over, and with `closed` all connections; at most 50 ms."""
    with suppress(TimeoutError):
        async with asyncio.timeout(0.05):
            while server.requests.running or (closed and server.connections):  # noqa: ASYNC110 - the other side's
                await asyncio.sleep(0.001)


@every_provider
def test_it_streams_and_lets_go_of_everything(subject: Subject) -> None:
    async def story() -> None:
        async with LocalOpenAI(SCRIPT) as server:
            provider = subject.on(server)
            await provider.ready()
            for _ in range(2):
                check_answer(provider, await drain(subject.ask(provider)))
            assert all(request.status in (101, 200) for request in server.requests)
            await provider.aclose()
            await settled(server)
            assert (server.connections, server.requests.running) == (0, [])
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(story())


def check_answer(provider: object, items: list[object]) -> None:
    if isinstance(provider, Transcriber):
        assert items[-1] == Transcript("two pounds of flour")
        assert all(isinstance(item, Transcript) and not item.final for item in items[:-1])
    elif isinstance(provider, LanguageModel):
        assert provider.speculative
        assert "".join(map(str, items)) == "Two pounds it is."
        assert len(items) == 4
    else:
        assert isinstance(provider, Voice)
        audio = b"".join(item for item in items if isinstance(item, bytes))
        assert len(audio) == 4 * 2_400 * 2
        assert len(Resampler(provider.rate, 8_000).feed(audio)) > 6_000


@every_provider
@pytest.mark.parametrize("begun", [False, True], ids=["before", "amid"])
def test_cancelling_ends_the_request_within_50_ms(subject: Subject, begun: bool) -> None:
    """Over a WebSocket nothing is open but the session, which goes on."""

    async def story() -> None:
        slow = Script(
            transcripts=["a b c d e f"] * 9,
            replies=["a b c d e f"],
            transcription=Pace(0.1, 0.1),
            reply=Pace(0.1, 0.1),
            speech=Pace(0.1, 0.1),
        )
        async with LocalOpenAI(slow) as server:
            provider = subject.on(server)
            await provider.ready()
            before = len(server.requests)
            first = asyncio.Event()

            async def read() -> None:
                async for _ in subject.ask(provider):
                    first.set()

            task = asyncio.create_task(read())
            if begun and subject.name != "whisper":
                await first.wait()
            else:
                await asyncio.sleep(0.03)
            cancelled = server.requests.clock()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert server.requests.clock() - cancelled < 50_000
            await settled(server, closed=False)
            request = server.requests[before]
            if subject.stage is Stage.REALTIME:
                assert server.requests.running == [request]
            else:
                assert request.cancelled
                assert request.ended is not None
                assert request.ended - cancelled < 50_000
            await provider.aclose()
            await settled(server)
            assert server.requests.running == []

    asyncio.run(story())


KINDS = {
    Trouble.REFUSE: {Failure.UNREACHABLE},
    Trouble.HANG: {Failure.TIMEOUT},
    Trouble.SLOW: {Failure.TIMEOUT},
    Trouble.GARBAGE: {Failure.BROKEN},
    Trouble.CLOSE: {Failure.BROKEN},
    Trouble.UNAUTHORIZED: {Failure.REFUSED},
    Trouble.OVERLOADED: {Failure.OVERLOADED},
    Trouble.BROKEN: {Failure.BROKEN},
}


@every_provider
@pytest.mark.parametrize("trouble", Trouble)
def test_each_fault_is_reported_by_its_kind(subject: Subject, trouble: Trouble) -> None:
    async def story() -> None:
        fault = Fault(subject.stage, trouble, seconds=7)
        async with LocalOpenAI(SCRIPT) as server:
            provider = subject.on(server, PATIENCE if trouble in (Trouble.HANG, Trouble.SLOW) else 5.0)
            await provider.ready()
            server.script = Script(transcripts=SCRIPT.transcripts, replies=SCRIPT.replies, faults=[fault])
            before = len(server.requests)
            with pytest.raises(OpenAIError) as raised:
                await asyncio.wait_for(drain(subject.ask(provider)), 3)
            assert raised.value.kind in KINDS[trouble]
            assert KEY not in str(raised.value)
            assert "\n" not in str(raised.value)
            if trouble is Trouble.OVERLOADED:
                assert (raised.value.status, raised.value.retry_after) == (429, 7)
            if not raised.value.retryable or subject.stage is not Stage.REALTIME:
                assert len(server.requests) == before + 1
            await check_after(provider, server)

    asyncio.run(story())


async def check_after(provider: object, server: LocalOpenAI) -> None:
    """Once the fault is over, the same instance works again; then it lets go."""
    subject = next(each for each in SUBJECTS if isinstance(provider, type(each.on(server))))
    server.script = SCRIPT
    check_answer(provider, await drain(subject.ask(provider)))
    await provider.aclose()  # type: ignore[attr-defined]
    await settled(server)
    assert (server.requests.running, server.connections) == ([], 0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@every_provider
def test_a_server_that_is_not_there_is_unreachable(subject: Subject) -> None:
    async def story() -> None:
        async with LocalOpenAI() as server:
            pass
        provider = subject.on(server)
        with pytest.raises(ProviderError) as raised:
            await drain(subject.ask(provider))
        assert raised.value.kind is Failure.UNREACHABLE
        with pytest.raises(ProviderError):
            await provider.ready()
        await provider.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("subject", SUBJECTS[:3], ids=lambda subject: subject.name)
def test_any_amount_of_audio_is_answered(subject: Subject) -> None:
    async def story() -> None:
        async with LocalOpenAI(SCRIPT) as server:
            ear = subject.on(server)
            for audio in (b"", b"\x7f", b"\xff" * 159, bytes(range(256)) * 30, b"\x80" * 480_000):
                assert (await drain(ear.transcribe(Utterance(audio, Expectation()))))[-1].final
            await ear.aclose()
            await ear.aclose()

    asyncio.run(story())


@every_provider
def test_many_at_once_do_not_mix(subject: Subject) -> None:
    async def story() -> None:
        async with LocalOpenAI(SCRIPT) as server:
            provider = subject.on(server)
            for items in await asyncio.gather(*(drain(subject.ask(provider)) for _ in range(12))):
                check_answer(provider, items)
            await provider.aclose()

    asyncio.run(story())
