"""The TwiML that this server answers with, and the addresses that it names."""

from collections.abc import Mapping

from offhook.carrier.twilio import twiml
from offhook.carrier.twilio.tokens import PARAMETER
from offhook.server.guard import stream_url
from offhook.server.reception import Listen
from offhook.server.transfers import RING

VOICE_PATH = "/twilio/voice"
"""A telephone rings: what shall become of the call?"""
STREAM_PATH = "/twilio/stream"
"""The WebSocket. Where there are several workers, the number of one stands behind it, and a slash between."""
AFTER_PATH = "/twilio/after"
"""The stream has ended: what next?"""
DIALLED_PATH = "/twilio/dialled"
"""The dialling has come to its end, or the conversation that came of it: what next?"""
STATUS_PATH = "/twilio/status"
"""What became of a call, a stream, or a call that was dialled. Asks nothing."""

BUSY = "I am sorry, all our lines are busy. Please call again in a few minutes. Goodbye."
APOLOGY = "I am sorry, something went wrong on our side. Please call again later. Goodbye."
LOST = "I am sorry, we lost the line. Please call again. Goodbye."


def connect(base: str, who: Mapping[str, str], token: str, stream_path: str) -> str:
    """Stream the call to us; `who` are `From` and `To`, as far as they are known."""
    return twiml.answer(
        stream_url(base) + stream_path,
        _parameters(who, token),
        fallback=LOST,
        status_callback=base + STATUS_PATH,
        action=base + AFTER_PATH,
    )


def listen(base: str, who: Mapping[str, str], token: str, stream_path: str, meanwhile: Listen) -> str:
    """Stream both sides of the call to us while it goes on."""
    return twiml.listen(
        stream_url(base) + stream_path,
        _parameters(who, token),
        both_tracks=True,
        say=meanwhile.say,
        dial=meanwhile.dial,
        pause=meanwhile.pause,
        status_callback=base + STATUS_PATH,
    )


def dial(base: str, to: str) -> str:
    """Connect the caller to somebody else."""
    return twiml.dial(to, action=base + DIALLED_PATH, ring=RING, status_callback=base + STATUS_PATH)


def _parameters(who: Mapping[str, str], token: str) -> dict[str, str]:
    named = {name: who[name] for name in ("From", "To") if who.get(name) and twiml.fits(name, who[name])}
    return {**named, PARAMETER: token}
