"""A flow that books a meeting room, and what a caller says to it."""

from offhook.conversation.answers import Day, HowLong, OneOf, Quantity, TimeOfDay
from offhook.conversation.flow import Flow
from offhook.conversation.questions import Question

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

SAID = ("book a room", "mountain view", "today", "two thirty p m", "half an hour", "two people", "yes")
"""One utterance for each question, and one for the confirmation."""

KEYED = ("1", "1", "1", "1430", "30#", "2#", "1")
"""The same by keypad."""

BOOKED = {
    "wish": "book a room",
    "city": "mountain view",
    "day": "today",
    "time": "14:30",
    "length": "30",
    "people": "2",
}
