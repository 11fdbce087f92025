"""The demonstration's agent: a desk that books meeting rooms. A flow, so it needs no key and no network."""

from offhook.agent import Agent
from offhook.conversation.answers import Day, HowLong, OneOf, Quantity, TimeOfDay
from offhook.conversation.flow import Flow
from offhook.conversation.questions import Question
from offhook.providers.transcribers.local import LocalTranscriber

BOOKING = Flow(
    greeting="Hello, this is the meeting room desk.",
    questions=(
        Question(
            "wish",
            "How can I help you?",
            OneOf(
                ("book a room",), {"book a room": ("book a meeting room", "reserve a room", "a room", "a meeting room")}
            ),
            hint="I can book a room for you. Please say book a room, or press one.",
        ),
        Question("city", "In which city?", OneOf(("mountain view", "new york"))),
        Question("day", "For which day?", Day()),
        Question("time", "At what time?", TimeOfDay()),
        Question("length", "For how long?", HowLong(), name="duration"),
        Question("people", "For how many people?", Quantity(1, 20, "people"), name="number of people"),
    ),
    confirm="So that is {city}, {day} at {time}, for {length}, {people}. Is that right?",
    done="Your room is booked. Goodbye.",
)

SAID = {
    "wish": "book a room",
    "city": "mountain view",
    "day": "today",
    "time": "two thirty p m",
    "length": "half an hour",
    "people": "two people",
}
"""What the simulated caller answers."""

KEYED = {"wish": "1", "city": "1", "day": "1", "time": "1430", "length": "30#", "people": "2#"}
"""The same on the keypad."""


GUEST = "local/en-us+f2"
"""The simulated caller's voice."""
TRUST = 4.5
"""How much more the desk believes of that voice than of people's: its worst answer here comes 3.1 short of being
believed, and a wrong one is corrected at the confirmation."""


def desk(*, human: bool) -> Agent:
    """An agent who answers with the flow, local ears and a local voice."""
    return Agent(llm=BOOKING, stt="local" if human else LocalTranscriber(trust=TRUST), tts="local")
