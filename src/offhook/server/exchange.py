"""What the webhooks and the media sockets of one server share."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from offhook.agent import Agent
from offhook.carrier.events import StreamStarted
from offhook.carrier.twilio.tokens import PARAMETER
from offhook.runtime.switchboard import Line, Switchboard
from offhook.server.answers import STREAM_PATH
from offhook.server.desk import Desk, OwnDesk, Post
from offhook.server.engine import Engine
from offhook.server.guard import Guard
from offhook.server.metrics import Metrics
from offhook.server.outcomes import Outcomes
from offhook.server.overflow import overflow
from offhook.server.passes import Passes
from offhook.server.reception import Answer, Reception
from offhook.server.rest import Rest
from offhook.server.slots import Refusal, Slots
from offhook.server.transfers import Transfers
from offhook.settings import Settings

logger = logging.getLogger("offhook.server")

PATIENCE = 8.0
"""Seconds that a call waits for a server that has just begun to start. Twilio gives a webhook 15 s (11200)."""
REPLACED = "another stream of the same call took its place"


class Exchange:
    """A telephone exchange: who may come in, who answers, which lines are free. `post`: where its process stands."""

    def __init__(self, agent: Agent | Answer, settings: Settings, engine: Engine, post: Post | None = None) -> None:
        ttl, post = settings.token_ttl, post or Post()
        self.settings = settings
        self.engine = engine
        self.rest = Rest(settings)
        self.guard = Guard(settings)
        self.passes = Passes(settings.twilio_auth_token.get_secret_value(), ttl, post.secret)
        self.overflow = overflow(settings.overflow)
        self.stream_path = STREAM_PATH if post.worker is None else f"{STREAM_PATH}/{post.worker}"
        self.reception = Reception(agent, settings.answer_timeout, ttl, time.monotonic)
        self.desk: Desk = post.desk or OwnDesk(Slots(settings.max_calls, ttl), time.monotonic)
        self.switchboard = Switchboard()
        self.transfers = Transfers(ttl)
        self.outcomes = Outcomes(time.monotonic)
        self.metrics = Metrics(post.metrics, lambda: self.desk.lost)
        self._seating: list[str] = []
        """Calls whose stream has come, while the desk is asked: should an older stream of theirs end meanwhile, the
        line is not given back."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    @property
    def ready(self) -> bool:
        """Whether a call that comes now would be served, by whomever it comes to."""
        return self._opened and not self.switchboard.draining and self.desk.ready

    @property
    def late(self) -> bool:
        """Whether the event loop has no time for more calls."""
        return 0 < self.settings.max_lateness < self.metrics.lateness

    @property
    def _opened(self) -> bool:
        return self._opening is not None and self._opening.done() and self._opening.exception() is None

    def open(self) -> "asyncio.Task[None]":
        """Begin to make the agent ready, once; the task that is returned raises OffhookError where it cannot be.

        A mounted application is told nothing of its host's start, so this may be called as late as by the first call.
        """
        if self._opening is None or (self._opening.done() and self._opening.exception()):
            self._opening = asyncio.create_task(self._open())
        return self._opening

    async def opened(self) -> bool:
        """Whether the agent is ready, waiting for it a little: the carrier waits too, but not for ever."""
        opening = self.open()
        await asyncio.wait({opening}, timeout=PATIENCE)
        if opening.done() and (error := opening.exception()):
            logger.error("Not ready for calls: %s", error)
        return self._opened

    def refuse_stream(self, started: StreamStarted) -> str | None:
        """Why a stream that has started may not become a call; None if it may."""
        token = started.parameters.get(PARAMETER)
        if token is not None:
            refusal = self.passes.refuse(token, started.call_id)
            return f"its token is refused ({refusal})" if refusal else None
        strict = self.guard.checks_signatures or self.settings.insecure
        if strict and self.settings.stream_tokens:
            return f"it has no <Parameter> named {PARAMETER}; the TwiML of POST /twilio/voice holds one"
        return None

    async def reserve(self, call_id: str) -> Refusal | None:
        """Keep a line for a call that rings; why there is none."""
        return Refusal.LATE if self.late else await self.desk.reserve(call_id)

    async def seat(self, started: StreamStarted) -> Refusal | None:
        """A line for a call whose stream has come and may become one; why there is none."""
        call_id, token = started.call_id, started.parameters.get(PARAMETER, "")
        granted = False
        self._seating.append(call_id)
        try:
            refusal = await self.desk.seat(call_id, token, self.passes.left(token) if token else 0.0)
            granted = refusal is None
            return refusal
        finally:
            self._seating.remove(call_id)
            if not granted:
                self.leave(call_id)

    def leave(self, call_id: str) -> None:
        """A call has ended, or has not begun after all: its line is free, unless another stream of it goes on."""
        if call_id not in self._seating and self.switchboard.find(call_id) is None:
            self.desk.leave(call_id)
        self.count()

    def evict(self, call_id: str) -> None:
        """A stream of the call has come to another worker."""
        if line := self.switchboard.find(call_id):
            line.close(REPLACED)

    def disconnect(self, line: Line) -> None:
        """A call has ended."""
        self.switchboard.disconnect(line)
        self.leave(line.call_id)

    async def drain(self) -> None:
        """Take no more calls; running ones may go on for a while."""
        self.desk.close()
        await self.switchboard.drain(self.settings.drain)

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this beside everything else; it ends with the exchange at the latest."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def count(self) -> None:
        """Lines have been taken or let go."""
        self.metrics.live.set(self.switchboard.live)

    async def aclose(self) -> None:
        """Let go of everything. Idempotent."""
        await self.switchboard.close(2 * self.settings.close_timeout)
        tasks = [task for task in (self._watch, self._opening, *self._tasks) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._watch = self._opening = None
        await self.engine.aclose()

    async def _open(self) -> None:
        self._watch = self._watch or asyncio.create_task(self.metrics.watch_loop())
        if self.reception.agent:
            await self.engine.prepare(self.reception.agent)
        await self.rest.prepare()
