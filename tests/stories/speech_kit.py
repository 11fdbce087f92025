"""An agent with a speech model, and a call with it of which can be asked what the model believes."""

import asyncio
from collections.abc import Sequence

from kit import ears, speech, tell

from offhook import Agent
from offhook.call.config import Phrases
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall
from offhook.errors import Failure, ProviderError
from offhook.providers.scripted import Breaks, ScriptedModel, Uses
from offhook.providers.speech.scripted import ScriptedSpeech
from offhook.runtime.driver import Driver
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.rehearsal import Rehearsal

REPLY = "We have a large room with a window and a small room without one on the second floor."
LOOK = ToolCall("t1", "look", '{"day": "today"}')
ROOMS = Uses("Let me look.", (LOOK,), "The blue room is free.")
DOWN = ProviderError(Failure.UNREACHABLE, "nobody is there")


class Told:
    """A call with a speech model. What the model believes is what the call's history says, whatever the story."""

    def __init__(self, speaker: Agent, script, on_driver=None, *, agree=True, **settings) -> None:  # type: ignore[no-untyped-def]
        drivers: list[Driver] = []

        def began(driver: Driver) -> None:
            drivers.append(driver)
            if on_driver is not None:
                on_driver(driver)

        self.rehearsal: Rehearsal = tell(speaker, script, on_driver=began, **settings)
        self.model: ScriptedSpeech = speaker.speech
        (self.session,) = self.model.sessions
        assert self.session.opened
        assert self.session.closed
        assert self.model.running == 0
        self.history = said(drivers[0].call.history.messages(None))
        assert self.believes == self.history or not agree

    @property
    def believes(self) -> list[str]:
        return said(self.session.messages)

    @property
    def agent_said(self) -> list[str]:
        return self.rehearsal.agent_said

    @property
    def user_said(self) -> list[str]:
        return self.rehearsal.user_said


def said(messages: Sequence[Message]) -> list[str]:
    """Who said what, whatever was split up; fillers aside, which answer nothing."""
    told: list[str] = []
    before = None
    for message in messages:
        text = message.text.replace(Phrases().filler, "").strip()
        if message.role in (Role.SYSTEM, Role.TOOL) or not text:
            continue
        if message.role is before is Role.ASSISTANT:
            told[-1] += f" {text}"
        else:
            told.append(f"{message.role}: {text}")
        before = message.role
    return [" ".join(line.split()) for line in told]


def speaking(*replies: str | Uses | Breaks | Exception, first: float = 0.3, **settings) -> Agent:  # type: ignore[no-untyped-def]
    """An agent whose model gives these replies."""
    model = ScriptedSpeech(
        settings.pop("ear", None) or ears(0.2),
        settings.pop("mind", None) or ScriptedModel(replies or ("Fine.",), first_token=first),
        settings.pop("voice", None),
    )
    return Agent(**{"greeting": "Hello.", "speech": model, **settings})


async def one_question(caller: SimulatedCaller) -> None:
    await caller.listen_until_quiet(0.8)
    await caller.say(speech("book a room please"))
    await caller.listen_until_quiet(2.0)


def looking(seconds_: float, seen: list[str] | None = None):  # type: ignore[no-untyped-def]
    async def look(day: str) -> str:
        """Look for a free room."""
        await asyncio.sleep(seconds_)
        if seen is not None:
            seen.append(day)
        return "blue"

    return look
