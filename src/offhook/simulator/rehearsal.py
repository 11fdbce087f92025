"""Rehearse an agent: a whole call in virtual time, with everything that was said, heard and recorded to look at
afterwards.

    result = rehearse(agent, script)
    assert result.user_said == ["two people"]

The same driver, call and providers run as in a live call. Only the clock and the carrier are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from offhook.agent import Agent
from offhook.call.config import CallConfig
from offhook.call.outputs import AgentSaid, FlowFinished, Report, TurnTimed, UserSaid, Warned
from offhook.call.tape import Header, encode_header
from offhook.carrier.twilio.stream import TwilioStream
from offhook.runtime.driver import Driver
from offhook.runtime.ear import Hearing
from offhook.runtime.services import Services
from offhook.runtime.toolbox import Toolbox
from offhook.simulator import scenario, world
from offhook.simulator.caller import Script
from offhook.simulator.clock import LoopClock
from offhook.simulator.evidence import Attentive
from offhook.simulator.line import Line
from offhook.simulator.report import CallReport
from offhook.timebase import Instant
from offhook.version import VERSION


@dataclass
class Rehearsal:
    """What became of a rehearsed call."""

    on_report: Callable[[Report], None] | None = None
    caller: CallReport | None = None
    """What the caller did and heard."""
    reports: list[tuple[Instant, Report]] = field(default_factory=list)
    """What the call made known, and when."""
    tape: bytearray = field(default_factory=bytearray)

    def note(self, now: Instant, report: Report) -> None:
        """The call made something known."""
        self.reports.append((now, report))
        if self.on_report is not None:
            self.on_report(report)

    @property
    def user_said(self) -> list[str]:
        return [report.text for _, report in self.reports if isinstance(report, UserSaid)]

    @property
    def agent_said(self) -> list[str]:
        return [report.text for _, report in self.reports if isinstance(report, AgentSaid)]

    @property
    def delays(self) -> list[TurnTimed]:
        return [report for _, report in self.reports if isinstance(report, TurnTimed)]

    @property
    def warnings(self) -> list[str]:
        return [report.words for _, report in self.reports if isinstance(report, Warned)]

    @property
    def flow(self) -> FlowFinished | None:
        return next((report for _, report in self.reports if isinstance(report, FlowFinished)), None)


def rehearse(
    agent: Agent,
    script: Script,
    *,
    hearing: Hearing | None = None,
    line: Line | None = None,
    parameters: Mapping[str, str] | None = None,
    frame: int = 160,
    limit: float = 3600.0,
    recordings: dict[str, bytes] | None = None,
    on_driver: Callable[[Driver], None] | None = None,
    on_report: Callable[[Report], None] | None = None,
    transfer: Callable[[str], None] | None = None,
) -> Rehearsal:
    """One call of `agent` with a caller who follows `script`. Raises what the call raised.

    The agent's tools and handlers are used; its MCP servers, which live in real time, are not.
    """
    return world.run(
        rehearsed(
            agent,
            script,
            hearing=hearing,
            line=line,
            parameters=parameters,
            frame=frame,
            recordings=recordings,
            on_driver=on_driver,
            on_report=on_report,
            transfer=transfer,
        ),
        limit=limit,
    )


async def rehearsed(
    agent: Agent,
    script: Script,
    *,
    hearing: Hearing | None = None,
    line: Line | None = None,
    parameters: Mapping[str, str] | None = None,
    frame: int = 160,
    recordings: dict[str, bytes] | None = None,
    on_driver: Callable[[Driver], None] | None = None,
    on_report: Callable[[Report], None] | None = None,
    transfer: Callable[[str], None] | None = None,
) -> Rehearsal:
    """`rehearse` in a world that runs already, where several calls may go on at once."""
    result = Rehearsal(on_report)
    services = Services.of(agent)
    config = services.config(agent, recordings)
    result.tape += encode_header(Header(VERSION, "", config))

    def answer(send: Callable[[str], None], close: Callable[[], None]) -> Driver:
        driver = _driver(agent, services, config, hearing, result, send=send, close=close, transfer=transfer)
        if on_driver is not None:
            on_driver(driver)
        return driver

    result.caller = await scenario.converse(answer, script, line, parameters, frame)
    await services.aclose()
    return result


def _driver(
    agent: Agent, services: Services, config: CallConfig, hearing: Hearing | None, result: Rehearsal, **wire: Any
) -> Driver:
    return Driver(
        config,
        services,
        hearing or Attentive(),
        stream=TwilioStream(two_way=True),
        report=result.note,
        clock=LoopClock(),
        tape=result.tape.extend,
        toolbox=Toolbox.of(agent),
        handlers=agent.handlers,
        **wire,
    )
