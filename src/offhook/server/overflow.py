"""What a call is told for which there is no line: a text, a queue, another number, or that it is busy here."""

from offhook.carrier.twilio import twiml
from offhook.errors import ConfigurationError
from offhook.server.answers import BUSY
from offhook.server.transfers import RING

FORMS = '"say", "say:TEXT", "queue:NAME", "dial:NUMBER" or "reject"'


def overflow(wanted: str) -> str:
    """The TwiML for one of `FORMS`. Raises ConfigurationError."""
    verb, colon, what = (part.strip() for part in wanted.partition(":"))
    match verb, bool(what):
        case ("say", _) if what or not colon:
            return twiml.say_and_hang_up(what or BUSY)
        case ("queue", True):
            return twiml.enqueue(what)
        case ("dial", True):
            return twiml.pass_on(what, ring=RING)
        case ("reject", False) if not colon:
            return twiml.reject()
    raise ConfigurationError(f"OFFHOOK_OVERFLOW must be {FORMS}, not {wanted!r}")
