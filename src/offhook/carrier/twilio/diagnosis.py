"""Why a text frame is no message of Twilio's, in words. Only reached by frames that the schema has refused.

The words never quote more than a few characters of the frame, and never its payload.
"""

import msgspec

from offhook.carrier.events import ProtocolBroken, Unrecognised
from offhook.carrier.twilio.messages import EVENTS, LONGEST_TEXT, decode_message

_SHOWN = 80

SOURCE = "Check that only the carrier connects to this address."


def shown(text: str) -> str:
    """Foreign text as it may be logged: printable ASCII, cut short."""
    return ascii(text[:_SHOWN])[1:-1][:_SHOWN]


def too_long(length: int) -> ProtocolBroken:
    """A frame that is not even read."""
    return ProtocolBroken(
        "too_long", f"A text frame of {length} characters was ignored: {LONGEST_TEXT} is the most that is read."
    )


def diagnose(text: str) -> ProtocolBroken | Unrecognised:
    """What is wrong with a frame that `decode_message` refuses. Never raises."""
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        reason = "it holds half a character" if isinstance(error, UnicodeEncodeError) else shown(str(error))
        return ProtocolBroken("not_json", f"A text frame of {len(text)} characters is not JSON ({reason}). {SOURCE}")
    match message:
        case {"event": "media"}:
            return _media(message, text)
        case {"event": "start"}:
            return _start(message, text)
        case {"event": "mark", "mark": {"name": str(name)}} if name:
            return _refused("mark", text)
        case {"event": "mark"}:
            return ProtocolBroken("mark_without_name", "A mark came back without a name: ignored.")
        case {"event": "dtmf", "dtmf": {"digit": digit}}:
            pressed = f"'{shown(digit)}'" if isinstance(digit, str) else _named(digit)
            return ProtocolBroken("bad_digit", f"The key {pressed} is none of 0 to 9, *, # and A to D: ignored.")
        case {"event": str(event)} if event in EVENTS:
            return _refused(event, text)
        case {"event": str(event)}:
            return Unrecognised(shown(event))
        case dict():
            return ProtocolBroken("no_event", f"A message does not say in 'event' what it is: ignored. {SOURCE}")
    return ProtocolBroken(
        "not_an_object", f"A text frame holds {_named(message)} instead of a message: ignored. {SOURCE}"
    )


def _media(message: dict[str, object], text: str) -> ProtocolBroken:
    reason = _reason(text)
    match message:
        case {"media": {"payload": ""}}:
            return ProtocolBroken("payload_empty", "A media message holds no audio: ignored.")
        case {"media": {"payload": str()}} if "base64" in reason:
            return ProtocolBroken(
                "payload_not_base64",
                "A media message's payload is not base64: ignored. The carrier must send raw mu-law.",
            )
        case {"media": {"payload": str()}}:
            return _refused("media", text)
        case {"media": {"payload": payload}}:
            return ProtocolBroken(
                "payload_not_text", f"A media message's payload is {_named(payload)}, not base64: ignored."
            )
        case {"media": dict()}:
            return ProtocolBroken("payload_missing", "A media message has no payload: ignored.")
    return ProtocolBroken("media_not_an_object", "A media message's 'media' is missing or not an object: ignored.")


def _start(message: dict[str, object], text: str) -> ProtocolBroken:
    reason = _reason(text)
    if "streamSid" in reason or "callSid" in reason or not isinstance(message.get("start"), dict):
        return ProtocolBroken(
            "start_without_ids",
            "A start message names no stream and call (start.streamSid MZ…, start.callSid CA…): there is no call to "
            f"serve. {SOURCE}",
        )
    return _refused("start", text)


def _named(value: object) -> str:
    """What JSON calls it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a string"
        case list():
            return "a list"
        case dict():
            return "an object"
    return "a number"


def _refused(event: str, text: str) -> ProtocolBroken:
    """A known message with a fault that has no name of its own."""
    return ProtocolBroken(f"bad_{event}", f"A {event} message makes no sense ({shown(_reason(text))}): ignored.")


def _reason(text: str) -> str:
    """The schema's own words. They name fields and types, never values."""
    try:
        decode_message(text)
    except (msgspec.DecodeError, RecursionError) as error:
        return str(error)
    raise AssertionError("diagnosing a good message")
