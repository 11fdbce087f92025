"""Stories of lines that stall, lose, delay and distort: none of it is a caller's silence."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from kit import agent, call, ears, speech, tell, turn

from booking import BOOKED, BOOKING, SAID
from offhook.call.outputs import CallEnded
from offhook.providers.scripted import ScriptedVoice
from offhook.runtime.driver import Driver
from offhook.simulator.acoustics import Noise
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.line import Line
from offhook.simulator.rehearsal import Rehearsal
from offhook.timebase import ms, seconds


class Trouble:
    """What happens to the caller's frames on their way, from `on` to `off`: they are held back, or lost."""

    def __init__(self) -> None:
        self.holding = self.losing = False
        self._held: list[str] = []

    def __call__(self, driver: Driver) -> None:
        receive = driver.on_text

        def on_text(text: str) -> None:
            if self.losing and '"media"' in text:
                return
            if self.holding:
                self._held.append(text)
                return
            for held in self._held:
                receive(held)
            self._held.clear()
            receive(text)

        driver.on_text = on_text  # type: ignore[method-assign]


@pytest.mark.parametrize("how", ["holding", "losing"])
@pytest.mark.parametrize("lasting", [0.5, 1.5, 3.0])
def test_a_hole_in_the_line_is_no_pause(how: str, lasting: float) -> None:
    """The caller makes a short pause, in which the line fails: nobody takes the hole for the end of the turn."""
    trouble = Trouble()

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.pause(0.2)
        setattr(trouble, how, True)
        await caller.pause(lasting)
        setattr(trouble, how, False)
        if how == "losing":
            await caller.pause(0.2)
        await caller.say(speech("today please"))
        await caller.listen_until_quiet(1.0)

    told = tell(agent("Fine."), script, on_driver=trouble)
    words = "book a room today please"
    if how == "losing":
        assert told.user_said == [words]
        assert turn(told, "book a room").response_delay is None
    else:
        # What was held back is silence that was really there: it comes late, and counts then.
        assert told.user_said[-1] in (words, "today please")
        assert turn(told, "book a room").response_delay is None or lasting >= 0.5


def test_a_line_that_is_dead_is_hung_up() -> None:
    trouble = Trouble()

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        trouble.losing = True
        await caller.server_hangs_up()

    told = tell(agent(), script, on_driver=trouble)
    (end,) = [report for _, report in told.reports if isinstance(report, CallEnded)]
    assert end.reason == "no audio came for 10 s"
    assert seconds(11) < call(told).ended_at < seconds(11.3)


def test_a_stalled_line_asks_nobody_whether_they_are_there() -> None:
    trouble = Trouble()

    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.pause(5)
        trouble.losing = True
        await caller.pause(6)
        trouble.losing = False
        await caller.pause(1)

    told = tell(agent(), script, on_driver=trouble)
    assert told.agent_said == ["Hello."]


def books(line: Line, delay: float = 0.2) -> Rehearsal:
    async def script(caller: SimulatedCaller) -> None:
        for words in SAID:
            await caller.listen_until_quiet(1.0)
            await caller.say(speech(words))
        await caller.server_hangs_up()

    return tell(agent(greeting="", llm=BOOKING, stt=ears(delay), tts=ScriptedVoice(delay=0.1)), script, line=line)


@pytest.mark.parametrize(
    "line",
    [
        Line(delay_ms=120),
        Line(jitter_ms=80, seed=1),
        Line(delay_ms=60, jitter_ms=200, seed=2),
        Line(gain_db=-6),
        Line(noise=Noise(snr_db=35), seed=3),
        Line(loss=0.01, burst_ms=20, seed=4),
        Line(delay_ms=40, jitter_ms=40, loss=0.01, burst_ms=40, seed=5),
    ],
    ids=str,
)
def test_a_room_is_booked_over_a_bad_line(line: Line) -> None:
    told = books(line)
    assert told.flow is not None
    assert told.flow.answers == BOOKED
    assert told.agent_said[-1] == BOOKING.done


def test_delay_on_the_line_is_all_that_is_added() -> None:
    near, far = (turn(books(Line(delay_ms=delay)), "today").response_delay or 0 for delay in (0, 100))
    assert abs(far - near - ms(200)) <= ms(32)


@pytest.mark.parametrize("frame", [80, 160, 240, 800])
def test_frames_of_any_length(frame: int) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(0.8)

    told = tell(agent("Fine."), script, frame=frame)
    assert told.user_said == ["book a room"]
    assert told.agent_said == ["Hello.", "Fine."]


def test_messages_that_make_no_sense_change_nothing() -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.listen_until_quiet(0.8)
        await caller.say(speech("book a room"))
        await caller.listen_until_quiet(0.8)

    def pester(driver: Driver) -> None:
        def again() -> None:
            for text in ("null", "[]", "{", '{"event": "weather"}', '{"event": "mark", "mark": {"name": "x"}}'):
                driver.on_text(text)
            driver.on_binary(7)
            if not driver.ended.is_set():
                asyncio.get_running_loop().call_later(0.1, again)

        asyncio.get_running_loop().call_later(0.05, again)

    plain, pestered = tell(agent("Fine."), script), tell(agent("Fine."), script, on_driver=pester)
    told: Callable[[Rehearsal], Any] = lambda it: (it.user_said, it.agent_said, it.delays, call(it).story)  # noqa: E731
    assert told(plain) == told(pestered)
    assert len(pestered.warnings) == len(set(pestered.warnings)) > 0
