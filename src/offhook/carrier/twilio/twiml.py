"""What Twilio is told to do with a call, as TwiML. The SDK builds and escapes it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from offhook.carrier.twilio.messages import WAY
from offhook.errors import ConfigurationError

LONGEST_PARAMETER = 500
"""A `<Parameter>`'s name and value together must be shorter than this (twilio.com/docs/voice/twiml/stream)."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document can hold, escaped or not (xml 1.0, 2.2). One of them, and the document does not
parse (12100)."""


class Rejection(StrEnum):
    """What a rejected caller hears."""

    BUSY = "busy"
    OUT_OF_SERVICE = "rejected"


def answer(
    stream_url: str,
    parameters: Mapping[str, str],
    *,
    fallback: str,
    status_callback: str | None = None,
    action: str | None = None,
) -> str:
    """Connect the call to us, both ways. With `action`, Twilio asks there what to do once the stream has ended.
    `fallback` is said where it does not, or gets no answer: the server has died.

    Whether Twilio ever goes on behind a `<Connect>` that has an action is not documented; so it is told both ways.

    Never names a `track`: `<Connect>` refuses all but the default (31941). Raises `ConfigurationError`.
    """
    response = _response()
    connect = response.connect(action=_checked_callback(action))
    _stream(connect, stream_url, {**parameters, WAY: "two"}, status_callback=_checked_callback(status_callback))
    response.say(_clean(fallback))
    response.hangup()
    return str(response)


def listen(
    stream_url: str,
    parameters: Mapping[str, str],
    *,
    both_tracks: bool,
    say: str = "",
    dial: str = "",
    pause: int = 0,
    status_callback: str | None = None,
) -> str:
    """Let us listen, one way, while the call goes on with something else: `say` a text, then `dial` a number, then
    `pause` for some seconds. At least one of them: without a next verb the call would end at once.

    Raises `ConfigurationError`.
    """
    if not (say or dial or pause):
        raise ConfigurationError("a one-way stream needs something for the call to do meanwhile: say, dial or pause")
    response = _response()
    _stream(
        response.start(),
        stream_url,
        {**parameters, WAY: "one"},
        track="both_tracks" if both_tracks else "inbound_track",
        status_callback=_checked_callback(status_callback),
    )
    if say:
        response.say(_clean(say))
    if dial:
        response.dial(_clean(dial))
    if pause:
        response.pause(length=pause)
    return str(response)


def dial(to: str, *, action: str, ring: int, status_callback: str) -> str:
    """Connect the caller to `to`, a number or a SIP address, letting it ring for `ring` seconds. Whatever comes of it,
    Twilio asks at `action` what to do next; `status_callback` is told as soon as somebody answers.

    Raises `ConfigurationError`.
    """
    response = _response()
    line = response.dial(action=_checked_callback(action), timeout=ring, answer_on_bridge=True)
    party = line.sip if re.match("sips?:", to, re.IGNORECASE) else line.number
    party(_clean(to), status_callback=_checked_callback(status_callback), status_callback_event="answered")
    return str(response)


def pass_on(to: str, *, ring: int) -> str:
    """Connect the caller to `to` and ask nothing afterwards: what comes of it is not our affair any more.

    Nothing may follow: Twilio would go on with it after a conversation too.
    """
    response = _response()
    line = response.dial(timeout=ring, answer_on_bridge=True)
    party = line.sip if re.match("sips?:", to, re.IGNORECASE) else line.number
    party(_clean(to))
    return str(response)


def enqueue(name: str) -> str:
    """Have the caller wait in a queue of the account's, which Twilio makes if there is none of this name."""
    response = _response()
    response.enqueue(_clean(name))
    return str(response)


def hang_up() -> str:
    """End the call without a word."""
    response = _response()
    response.hangup()
    return str(response)


def say_and_hang_up(text: str) -> str:
    """Say one thing and end the call."""
    response = _response()
    response.say(_clean(text))
    response.hangup()
    return str(response)


def reject(reason: Rejection = Rejection.BUSY) -> str:
    """Do not answer: nobody pays for the call."""
    response = _response()
    response.reject(reason=reason.value)
    return str(response)


def fits(name: str, value: str) -> bool:
    """Whether Twilio carries this as a `<Parameter>`. Foreign values are checked with this before they are passed on:
    a caller's strange number must not fail the call."""
    return bool(name) and name != WAY and len(_clean(name)) + len(_clean(value)) < LONGEST_PARAMETER


def check_stream_url(url: str) -> None:
    """Raise `ConfigurationError` unless Twilio, or a client on this machine, can stream to `url`."""
    parts = _split(url)
    if parts.scheme != "wss" and not (parts.scheme == "ws" and _is_loopback(parts.hostname or "")):
        raise ConfigurationError(f"the stream's address must begin with wss:// (31922): {_clean(url)!r}")
    if "?" in url or "#" in url:
        raise ConfigurationError(f"the stream's address cannot have a query, Twilio drops it (31920): {_clean(url)!r}")


def _response() -> Any:
    from twilio.twiml.voice_response import VoiceResponse

    return VoiceResponse()


def _stream(
    parent: Any,
    url: str,
    parameters: Mapping[str, str],
    *,
    status_callback: str | None,
    track: str | None = None,
) -> None:
    check_stream_url(url)
    stream = parent.stream(url=url, track=track, status_callback=status_callback)
    for name, value in parameters.items():
        if name != WAY and not fits(name, value):
            raise ConfigurationError(
                f"the parameter {_clean(name)[:40]!r} does not fit: name and value together must be shorter than "
                f"{LONGEST_PARAMETER} characters"
            )
        stream.parameter(name=_clean(name), value=_clean(value))


def _checked_callback(url: str | None) -> str | None:
    if url is not None and _split(url).scheme not in ("https", "http"):
        raise ConfigurationError(f"a callback's address must be absolute, with https://: {_clean(url)!r}")
    return url


def _split(url: str) -> SplitResult:
    """The parts of an absolute address."""
    try:
        parts = urlsplit(url)
        if parts.hostname and parts.port != 0 and not re.search(r"[\s\x00-\x1f\x7f-\U0010ffff]", url):
            return parts
    except ValueError:
        pass
    raise ConfigurationError(f"not an address: {_clean(url)!r}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
