"""The demonstration's flow, and what a caller says to it, one utterance after the other."""

from offhook.cli import booking

BOOKING = booking.BOOKING

SAID = (*booking.SAID.values(), "yes")
"""One utterance for each question, and one for the confirmation."""

KEYED = (*booking.KEYED.values(), "1")
"""The same by keypad."""

BOOKED = {
    "wish": "book a room",
    "city": "mountain view",
    "day": "today",
    "time": "14:30",
    "length": "30",
    "people": "2",
}
