"""How long a reply would take if the server took no time: the same caller, call and stages in virtual time.

Listening takes as long as it takes there, and so do the stages; what a real server's replies take longer than that is
its own share of the delay.
"""

import asyncio
from collections.abc import Callable
from random import Random

from offhook.agent import Agent
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.runtime.driver import Driver
from offhook.runtime.ears import LiveHearing
from offhook.runtime.services import Services
from offhook.simulator import world
from offhook.simulator.clock import LoopClock
from offhook.simulator.load import agents
from offhook.simulator.load.caller import FRAME, LoadCaller, Sounds
from offhook.simulator.load.profile import GRID, Profile, Tally, percentile
from offhook.simulator.phone import Identity, identity
from offhook.timebase import RATE

CYCLES = 6


def delay(profile: Profile) -> int:
    """The median reply delay in microseconds of some cycles of one call."""
    tally = Tally()
    world.run(_talk(profile, tally))
    return percentile(tally.delays, 0.5)


async def _talk(profile: Profile, tally: Tally) -> None:
    hearing, agent = LiveHearing(), agents.scripted()
    hearing.start()
    services = Services.of(agent)
    ids, sounds = identity(Random(0)), Sounds(profile)
    driver, tick = joined(
        agent, services, hearing, ids, lambda send: LoadCaller(profile, sounds, ids, tally, send, GRID)
    )
    for _ in range(int(CYCLES * profile.cycle / 1_000_000 * RATE / FRAME)):
        await asyncio.sleep(FRAME / RATE)
        tick()
    await driver.finish()
    hearing.close()
    await services.aclose()


def joined(
    agent: Agent,
    services: Services,
    hearing: LiveHearing,
    ids: Identity,
    caller_of: Callable[[Callable[[bytes], None]], LoadCaller],
) -> tuple[Driver, Callable[[], None]]:
    """A call that has begun, without a socket between it and its caller, who is made with a way to send; and what has
    the caller send the next frame."""
    clock = LoopClock()
    driver = Driver(
        services.config(agent),
        services,
        hearing,
        stream=TwilioStream(),
        send=lambda text: caller.on_text(clock(), text.encode()),
        close=lambda: None,
        report=lambda now, report: None,
        clock=clock,
    )
    caller = caller_of(lambda text: driver.on_text(text.decode()))
    driver.on_text(messages.connected())
    driver.on_text(messages.start(ids.stream_id, ids.call_id, ids.account_id))
    return driver, lambda: caller.tick(clock())
