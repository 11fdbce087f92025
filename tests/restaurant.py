"""A restaurant's tools, and how to use one."""

import asyncio
import datetime
import enum
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from offhook.agent.handle import CallHandle
from offhook.agent.tools import FunctionTool
from offhook.conversation.tools import ToolCall
from offhook.runtime.toolbox import Toolbox


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Guest(BaseModel):
    name: str
    children: int = 0


def book(
    call: CallHandle,
    day: datetime.date,
    people: Annotated[int, Field(ge=1, le=20, description="How many will sit there.")],
    size: Size = Size.SMALL,
    seat: Literal["inside", "outside"] = "inside",
    guests: list[Guest] = [],  # noqa: B006 - what is asked is that it is never shared
    copy: str | None = None,
) -> str:
    """Book a table.

    Only for dinner.

    Args:
        day: The evening,
            as a date.
        people: Not shown, since the annotation says it.
        seat (str): Where to sit.

    Returns:
        What to say.
    """
    guests.append(Guest(name="the caller"))
    return f"{day:%d.%m.} for {people} {seat} {size.value} {len(guests)} {copy}"


def ring() -> None:
    """Ring the bell."""


def use(
    function: Callable[..., Any], arguments: str = "{}", handle: CallHandle | None = None, timeout: float | None = None
) -> tuple[str, bool]:
    toolbox = Toolbox([FunctionTool.of(function, "tool", timeout)])
    return asyncio.run(toolbox.use(ToolCall("1", "tool", arguments), handle))
