"""A person on the phone: a script of what they say, press and wait for, in real or in virtual time.

A script is an async function that is given the caller:

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet()
        await caller.say(sounds.from_file(Path("two-people.wav")))
        await caller.agent_speaks()
        await caller.pause(0.8)
        await caller.say(sounds.from_file(Path("no-wait.wav")))
        await caller.hang_up()

When the server ends the call first, whatever the script waits for raises `CallOverError`; that ends the script, and is
no failure of the call. A script that returns hangs up.
"""
# ruff: noqa: ASYNC109 (a limit is part of what a person decides to wait for)

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from offhook.errors import OffhookError
from offhook.simulator.clock import LoopClock
from offhook.simulator.ledger import Ledger
from offhook.simulator.line import Line
from offhook.simulator.phone import Identity, Phone, Wire, identity
from offhook.simulator.report import CallReport, Deed, Pressed, Said, report
from offhook.simulator.sounds import Sound, sound
from offhook.timebase import SAMPLE_US, Instant, after, lasting, seconds

PATIENCE = 30.0
"""Seconds after which a caller no longer believes that the agent will speak, or be quiet."""

_STILL_SPEAKING = seconds(0.2)


class CallOverError(OffhookError):
    """The call has ended, so that nothing can be said or heard any more."""


class SimulatedCaller:
    """One call. Whoever owns the socket hands in what comes over it (`on_text`, `on_binary`, `on_closed`)."""

    def __init__(self, wire: Wire, line: Line | None = None, ids: Identity | None = None, frame: int = 160) -> None:
        self._clock = LoopClock()
        line = line or Line()
        self._phone = Phone(wire, self._clock, line, ids or identity(line.random("ids")), frame)
        self._phone.changed = self._look
        self.on_text = self._phone.on_text
        self.on_binary = self._phone.on_binary
        self.on_closed = self._phone.on_closed
        self.hold = self._phone.hold
        self.resume = self._phone.resume
        self.end = self._phone.end
        self._said: list[Said] = []
        self._pressed: list[Pressed] = []
        self._deeds: list[Deed] = []
        self._watches: list[_Watch] = []
        self._since = 0
        """Where on the time line the caller began to wait for what the agent would say next."""

    @property
    def heard(self) -> Ledger:
        """What was played at the caller's ear, and what will be if nothing clears it."""
        return self._phone.ear

    @property
    def held(self) -> bool:
        """Whether the caller is there, or was to the end, without a stream."""
        return self._phone.held

    @property
    def now(self) -> Instant:
        """Since the call began."""
        return self._clock()

    async def run(self, script: "Script", parameters: Mapping[str, str] | None = None) -> CallReport:
        """Make the call; it is over when this returns. `parameters` are those of the TwiML."""
        self._phone.pick_up(parameters or {})
        try:
            await script(self)
        except CallOverError:
            pass
        finally:
            self._phone.hang_up()
        return report(self._phone, self._said, self._pressed, self._deeds)

    def carrier_did(self, words: str) -> None:
        """Whoever plays the carrier did something that belongs into the story."""
        self._deeds.append(Deed(self.now, words))

    # What a person does

    async def say(self, words: Sound | bytes) -> Said:
        """Say it now (behind what is still being said) and return when its last sample was sent."""
        said, sent = self._utter(words)
        await self._until(lambda: sent)
        return said

    def say_nowait(self, words: Sound | bytes) -> Said:
        """Begin to say it, and do something else meanwhile."""
        return self._utter(words)[0]

    async def press(self, digits: str, every: float = 0.2) -> None:
        """Press keys, one each `every` seconds."""
        for digit in digits:
            self._alive()
            self._pressed.append(Pressed(self.now, digit))
            self._phone.press(digit)
            self._since = self.now // SAMPLE_US
            await self.pause(every)

    async def agent_speaks(self, timeout: float | None = PATIENCE) -> Instant:
        """Wait until the agent can be heard: at once where it is speaking. What it said before the caller's last words
        does not count. Raises `TimeoutError`."""
        start = max(self._since, (self.now - _STILL_SPEAKING) // SAMPLE_US)

        def begins() -> Instant | None:
            first = self.heard.first_audible(start)
            return None if first is None else Instant(first * SAMPLE_US)

        return await self._until(begins, timeout, "the agent did not speak")

    async def listen_until_quiet(self, seconds: float = 1.0, timeout: float | None = PATIENCE) -> bytes:
        """Wait until the agent has spoken and then been quiet for so long; the mu-law that was heard.

        It counts from the caller's last words: a reply that is over by now has been heard. Raises `TimeoutError`.
        """
        start, reach = self._since, round(seconds * 1_000_000)

        def falls_quiet() -> Instant | None:
            last = self.heard.last_audible()
            return None if last is None or last <= start else Instant(last * SAMPLE_US + reach)

        await self._until(falls_quiet, timeout, "the agent did not speak, or did not stop")
        self._since = self.now // SAMPLE_US
        return self.heard.between(start, self._since)

    async def pause(self, seconds: float) -> None:
        """Do nothing."""
        end = Instant(self.now + round(seconds * 1_000_000))
        await self._until(lambda: end)

    async def hang_up(self, abruptly: bool = False) -> None:
        """End the call with `stop`; `abruptly`: the socket just closes."""
        self._phone.hang_up(abruptly)

    async def server_hangs_up(self, timeout: float | None = PATIENCE) -> None:
        """Wait for the server to end the call, which ends the script. Raises `TimeoutError`."""
        await self._until(lambda: None, timeout, "the server did not hang up")

    # How it is done

    def _utter(self, words: Sound | bytes) -> tuple[Said, Instant]:
        self._alive()
        if isinstance(words, bytes):
            words = sound(words)
        at = self._phone.say(words.mulaw)
        self._since = at + words.end
        begin, end = (after(Instant(at * SAMPLE_US), lasting(place)) for place in (words.start, words.end))
        said = Said(begin, end, words.label)
        self._said.append(said)
        return said, self._phone.sent_at(at + len(words.mulaw))

    async def _until(
        self, condition: "Condition", timeout: float | None = None, complaint: str = "nothing happened"
    ) -> Instant:
        self._alive()
        watch = _Watch(self._clock, condition)
        self._watches.append(watch)
        try:
            watch.look()
            async with asyncio.timeout(timeout):
                return await watch.seen
        except TimeoutError:
            raise TimeoutError(f"{complaint} within {timeout:g} s") from None
        finally:
            self._watches.remove(watch)
            watch.stop()

    def _alive(self) -> None:
        if self._phone.ended_at is not None:
            raise CallOverError(f"the {self._phone.ended_by} has ended the call")

    def _look(self) -> None:
        for watch in self._watches:
            if self._phone.ended_at is None:
                watch.look()
            else:
                watch.fail(CallOverError(f"the {self._phone.ended_by} has ended the call"))


class _Watch:
    """Waits for the instant that a condition names. It may name another each time it is asked, or None."""

    def __init__(self, clock: LoopClock, condition: "Condition") -> None:
        self.seen: asyncio.Future[Instant] = asyncio.get_running_loop().create_future()
        self._clock = clock
        self._condition = condition
        self._timer: asyncio.TimerHandle | None = None
        self._armed = 0

    def look(self) -> None:
        """Something may have changed. A timer that is now too early is left to find that out for itself."""
        when = self._condition()
        if self.seen.done() or when is None:
            return
        if when <= self._clock():
            self.seen.set_result(when)
        elif self._timer is None or when < self._armed:
            self.stop()
            self._armed = when
            self._timer = self._clock.at(when, self._due)

    def fail(self, error: Exception) -> None:
        if not self.seen.done():
            self.seen.set_exception(error)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> None:
        self._timer = None
        self.look()


Condition = Callable[[], Instant | None]
Script = Callable[[SimulatedCaller], Awaitable[object]]
