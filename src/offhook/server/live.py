"""The engine that serves real calls: an agent's providers, hearing for all calls, and a tape of each."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import offhook
from offhook.agent import Agent
from offhook.call.outputs import Report
from offhook.call.tape import Header, encode_header
from offhook.carrier.stream import CarrierStream
from offhook.runtime.clock import starting_now
from offhook.runtime.driver import Driver, Hearing
from offhook.runtime.services import Services
from offhook.settings import Settings
from offhook.storage.tapes import TapeFile, TapeStore
from offhook.timebase import Instant


@dataclass(eq=False)
class _Staff:
    """The providers of one agent, and how many calls they serve."""

    agent: Agent
    services: Services
    ready: "asyncio.Task[None]"
    calls: int = 0

    async def dismiss(self) -> None:
        """Close the providers that were made from names; an instance belongs to whoever made it."""
        agent, services = self.agent, self.services
        providers = [*services.transcribers, *services.models, *services.voices]
        given = [agent.stt, [] if agent.flow else agent.llm, agent.tts]
        specs = [spec for each in given for spec in (each if isinstance(each, list | tuple) else [each])]
        for spec, provider in zip(specs, providers, strict=True):
            if isinstance(spec, str):
                await provider.aclose()


class LiveDriver(Driver):
    """A driver that gives back what its call was lent."""

    def lend(self, staff: _Staff, tape: TapeFile | None) -> None:
        staff.calls += 1
        self._staff: _Staff | None = staff
        self._file = tape

    async def finish(self) -> None:
        await super().finish()
        if self._staff:
            self._staff.calls -= 1
            self._staff = None
            if self._file:
                self._file.close()


class LiveEngine:
    """Serves any number of agents. Agents that are equal share their providers."""

    def __init__(self, settings: Settings, hearing: Hearing) -> None:
        self._hearing = hearing
        self._kept = settings.max_calls
        self._store = TapeStore(settings.record) if settings.record else None
        self._staff: list[_Staff] = []
        """In the order of their last use."""

    async def prepare(self, agent: Agent) -> None:
        """Find an agent's providers and have them prepare, once. Raises OffhookError."""
        staff = self._find(agent)
        if staff is None:
            services = Services.of(agent)
            staff = _Staff(agent, services, asyncio.create_task(services.ready()))
            self._staff.append(staff)
        try:
            await asyncio.shield(staff.ready)
        finally:
            if staff.ready.done() and staff.ready.exception() and staff in self._staff:
                self._staff.remove(staff)
                await staff.dismiss()
        await self._dismiss_idle()

    def connect(
        self,
        agent: Agent,
        *,
        call_id: str,
        stream: CarrierStream,
        send: Callable[[str], None],
        close: Callable[[], None],
        report: Callable[[Instant, Report], None],
    ) -> LiveDriver:
        staff = self._find(agent)
        assert staff, "the agent was not prepared"
        config = staff.services.config(agent)
        tape = self._store.open(call_id) if self._store else None
        if tape:
            began = datetime.now(UTC).isoformat(timespec="milliseconds")
            tape.write(encode_header(Header(offhook.__version__, began, config)))
        driver = LiveDriver(
            config,
            staff.services,
            self._hearing,
            stream=stream,
            send=send,
            close=close,
            report=report,
            clock=starting_now(),
            tape=tape.write if tape else None,
        )
        driver.lend(staff, tape)
        return driver

    async def aclose(self) -> None:
        for staff in self._staff:
            staff.ready.cancel()
            await asyncio.gather(staff.ready, return_exceptions=True)
            await staff.services.aclose()
        self._staff.clear()
        if self._store:
            await asyncio.to_thread(self._store.close)

    def _find(self, agent: Agent) -> _Staff | None:
        """An agent's staff, which now counts as the last one used."""
        for staff in self._staff:
            if staff.agent == agent:
                self._staff.remove(staff)
                self._staff.append(staff)
                return staff
        return None

    async def _dismiss_idle(self) -> None:
        """An `answer(call)` may make a new agent for every call: keep no more of them than calls can be waiting."""
        idle = [staff for staff in self._staff if not staff.calls and staff.ready.done()]
        for staff in idle[: -self._kept]:
            self._staff.remove(staff)
            await staff.dismiss()
