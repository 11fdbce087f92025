"""A driver on the line, and a hand that feeds it."""

import asyncio
from typing import Any

from kit import ears, speech

from offhook.audio import mulaw
from offhook.call.config import CallConfig
from offhook.call.outputs import CallEnded, Report
from offhook.carrier.twilio import messages
from offhook.carrier.twilio.stream import TwilioStream
from offhook.providers.interfaces import LanguageModel
from offhook.providers.scripted import ScriptedModel, ScriptedVoice
from offhook.runtime.driver import Driver
from offhook.runtime.services import Services
from offhook.simulator.clock import LoopClock
from offhook.simulator.evidence import Loudness

STREAM, CALL, ACCOUNT = "MZ1", "CA1", "AC1"


class Line:
    """A driver and a hand that feeds it."""

    def __init__(
        self,
        config: CallConfig | None = None,
        *,
        two_way: bool | None = True,
        model: LanguageModel | None = None,
        **given: Any,
    ) -> None:
        self.sent: list[str] = []
        self.closed = 0
        self.reports: list[Report] = []
        self.tape = bytearray()
        self.config = config or CallConfig(greeting="Hello.")
        self.transcriber, self.voice = ears(), ScriptedVoice()
        self.driver = Driver(
            self.config,
            Services([self.transcriber], [model or ScriptedModel(["Fine."])], [self.voice]),
            Loudness(),
            stream=TwilioStream(two_way=two_way),
            send=self.sent.append,
            close=self._close,
            report=lambda _, report: self.reports.append(report),
            clock=LoopClock(),
            tape=self.tape.extend,
            **given,
        )
        self._frames = {"inbound": 0, "outbound": 0}

    def _close(self) -> None:
        self.closed += 1

    def start(self, *tracks: str) -> None:
        self.driver.on_text(messages.connected())
        self.driver.on_text(messages.start(STREAM, CALL, ACCOUNT, tracks=tracks or ("inbound",)))

    def frame(self, audio: bytes = mulaw.SILENCE * 160, track: str = "inbound") -> None:
        number = self._frames[track]
        self._frames[track] += 1
        self.driver.on_text(
            messages.media(STREAM, audio, sequence=number + 2, chunk=number + 1, timestamp=20 * number, track=track)
        )

    async def listen(self, sounds: dict[str, bytes]) -> None:
        """Sounds, frame by frame, in step with the time; all tracks at once."""
        length = max(map(len, sounds.values()))
        for at in range(0, length, 160):
            await asyncio.sleep(0.02)
            for track, sound in sounds.items():
                self.frame(sound[at : at + 160].ljust(160, mulaw.SILENCE), track)

    @property
    def ends(self) -> list[CallEnded]:
        return [report for report in self.reports if isinstance(report, CallEnded)]


async def quiet(line: Line, seconds: float) -> None:
    await line.listen({"inbound": mulaw.SILENCE * round(8_000 * seconds)})


async def ask(line: Line) -> None:
    """The caller hears the greeting and says something."""
    line.start()
    await quiet(line, 2)
    await line.listen({"inbound": speech("book a room").mulaw})
