"""Whole calls that are transferred, with a carrier that does what it is told."""

import asyncio

import pytest
from doors import OPERATOR, TOKEN, plain, run, serving
from kit import agent
from test_rest import Desk
from transferring import driver

from offhook.call.inputs import TransferOrdered
from offhook.call.outputs import AgentSaid, CallEnded, Report, Transferred
from offhook.server.live import LiveEngine
from offhook.server.rest import Rest
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.evidence import Loudness
from offhook.simulator.ring import ring


@pytest.mark.parametrize("came", ["busy", "completed"])
def test_a_whole_call_with_a_carrier_that_does_what_it_is_told(came: str) -> None:
    async def scenario() -> None:
        async def dialling(to: str) -> str:
            assert to == OPERATOR
            return came

        async def script(caller: SimulatedCaller) -> None:
            await caller.pause(0.1)
            await caller.press("*")
            await caller.agent_speaks(timeout=5)
            await caller.press("#")
            await caller.server_hangs_up(timeout=5)

        async with serving(twilio_auth_token=TOKEN, max_calls=1) as server:
            server.exchange.rest = Rest(server.exchange.settings, Desk())
            url = server.base + "/twilio/voice"
            report = await ring(url, script, dialling=dialling, auth_token=TOKEN)
            assert (report.ended_by, report.problems) == ("server", ())
            assert [deed.words for deed in report.carrier] == [f"dials {OPERATOR}", f"{OPERATOR}: {came}"]
            reason = came if came == "busy" else ""
            assert (driver(server).transfers, bool(report.ear.audible())) == ([reason], bool(reason))
            await server.idle()
            assert server.taken == 0
            outcome = server.exchange.outcomes.find(report.identity.call_id)
            assert (outcome.well, outcome.dialled) == (True, came)

    run(scenario())


def test_a_caller_who_hangs_up_while_it_rings() -> None:
    async def scenario() -> None:
        async def dialling(_: str) -> str:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        async def script(caller: SimulatedCaller) -> None:
            await caller.press("*")
            while not caller.held:
                await caller.pause(0.01)
            await caller.pause(0.1)

        async with serving() as server:
            report = await ring(server.base + "/twilio/voice", script, dialling=dialling)
            assert (report.ended_by, report.problems) == ("caller", ())
            await driver(server).ended.wait()
            await asyncio.sleep(0)
            assert server.taken == 0

    run(scenario())


def test_the_real_agent_has_the_caller_back_and_says_so() -> None:
    """The story that all of this is for, with everything but the providers as it is in earnest."""
    host = agent("Sorry, they are busy.")

    async def scenario() -> None:
        async def dialling(_: str) -> str:
            return "busy"

        async def script(caller: SimulatedCaller) -> None:
            await caller.listen_until_quiet(0.3, timeout=5)
            (line,) = server.exchange.switchboard.lines()
            line.order(TransferOrdered(OPERATOR, "One moment."))
            while len(said()) < 3:
                await caller.pause(0.05)

        def said() -> list[str]:
            return [each.text for each in reports if isinstance(each, AgentSaid)]

        reports: list[Report] = []
        engine = LiveEngine(plain(), Loudness(), observer=reports.append)
        async with serving(host, engine) as server:
            report = await ring(server.base + "/twilio/voice", script, dialling=dialling)
            assert report.problems == ()
            await server.idle()
            assert server.taken == 0
        assert [each for each in reports if isinstance(each, Transferred)] == [Transferred(OPERATOR, "busy")]
        assert said() == ["Hello.", "One moment.", "Sorry, they are busy."]
        assert len([each for each in reports if isinstance(each, CallEnded)]) == 1

    run(scenario())
