"""A restaurant's receptionist, with OpenAI's ears, mind and voice. It looks up tables, books, asks the kitchen, takes a
number by keypad, hands the caller on to a human, and knows when to hang up.

    OPENAI_API_KEY=sk-… offhook serve examples/receptionist.py
    offhook ring http://127.0.0.1:8080 --say "Do you have a table for two at eight?" --say "Thank you, goodbye."
"""

import asyncio
from datetime import time
from typing import Annotated

from pydantic import Field

from offhook import Agent, CallHandle

HOST = "+493012345678"
tables = {time(18): 2, time(20): 4, time(21, 30): 2}
bookings = {"1234": "two people at six"}

agent = Agent(
    instructions="You answer the telephone at Bella's, a small restaurant. Say one or two short sentences.",
    greeting="Hello, this is Bella's. How can I help you?",
    stt="openai/gpt-4o-transcribe",
    llm="openai/gpt-4o-mini",
    tts="openai/gpt-4o-mini-tts:coral",
)

People = Annotated[int, Field(ge=1, le=12, description="how many will come")]


@agent.tool
def free_tables(people: People) -> list[time]:
    """Look up at what times there is a table tonight."""
    return [at for at, seats in tables.items() if seats >= people]


@agent.tool
def book(call: CallHandle, at: time, people: People) -> str:
    """Book a table, once the caller has agreed to a time."""
    if at not in free_tables(people):
        return "There is no table at that time."
    del tables[at]
    number = str(1234 + len(bookings))
    bookings[number] = f"{people} people at {at:%H:%M}, called from {call.from_}"
    return f"Booked. The number of the booking is {number}."


@agent.tool(timeout=30)
async def find_booking(call: CallHandle) -> str:
    """Have the caller key in the number of a booking, and look it up."""
    number = await call.gather(4, "Please key in the four digits of your booking.")
    return bookings.get(number, "There is no such booking.")


@agent.tool
async def ask_the_kitchen(question: str) -> str:
    """Ask the kitchen about a dish or an allergy. That takes a moment; meanwhile the caller is told so."""
    await asyncio.sleep(4)
    return "The kitchen says: gladly."


@agent.tool(timeout=120)
async def put_through(call: CallHandle) -> str:
    """Connect the caller to the host of the restaurant, a human."""
    return await call.transfer(HOST, "One moment, I connect you.") or "They are talking."


@agent.tool
def goodbye(call: CallHandle) -> None:
    """End the call, once the caller has said goodbye."""
    call.hang_up("Thank you for calling. Goodbye.")


@agent.on("started")
def greet(call: CallHandle, event) -> None:
    call.metadata["interruptions"] = 0


@agent.on("interrupted")
def count(call: CallHandle, event) -> None:
    call.metadata["interruptions"] += 1


@agent.on("ended")
def keep(call: CallHandle, event) -> None:
    said = " / ".join(f"{each['role']}: {each['content']}" for each in call.history)
    print(f"{call.from_} interrupted {call.metadata['interruptions']} times. {said}", flush=True)
