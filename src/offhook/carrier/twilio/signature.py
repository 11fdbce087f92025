"""Whether a webhook or a WebSocket handshake really comes from Twilio.

Twilio signs base64(HMAC-SHA1(auth token, URL + sorted parameters)). The URL is the one that Twilio called, which behind
a proxy is not the one that the server sees: the configured public address comes first. The SDK's validator is not used
because it knows no wss (its "default port" for that is 80) and raises on odd input.
Source: twilio.com/docs/usage/webhooks/webhooks-security; the wss form is as a genuine handshake has it (see the test).
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

HEADER = "x-twilio-signature"

Parameters = Mapping[str, str | list[str]] | Iterable[tuple[str, str]]
"""A form's fields; a name may come more than once, as pairs or with a list of values."""

_PORTS = {"https": "443", "wss": "443", "http": "80", "ws": "80"}
_FORWARDING = re.compile(r"forwarded|via|x-forwarded-.*|x-real-ip|x-original-.*|cf-.*|true-client-ip|ngrok-.*", re.I)


def sign(auth_token: str, url: str, params: Parameters = ()) -> str:
    """The signature that Twilio would send. A parameter that comes twice with the same value counts once."""
    text = url + "".join(name + value for name, value in sorted(set(_pairs(params))))
    digest = hmac.digest(auth_token.encode("utf-8", "replace"), text.encode("utf-8", "replace"), "sha1")
    return b64encode(digest).decode("ascii")


def validate_webhook(auth_token: str, url: str, params: Parameters, signature: str | None) -> bool:
    """Whether Twilio sent this form to this URL (query included). Never raises for any text; anything odd is a no."""
    return _matches(auth_token, webhook_urls(url), list(_pairs(params)), signature)


def validate_handshake(auth_token: str, bases: str | Sequence[str], path: str, signature: str | None) -> bool:
    """Whether Twilio opens this WebSocket. `bases` are the addresses under which the server may be known, such as
    `https://example.com`; `path` is the request's. Never raises; anything odd is a no."""
    return _matches(auth_token, handshake_urls(bases, path), [], signature)


def webhook_urls(url: str) -> list[str]:
    """The forms of a URL that Twilio may have signed: as it is, and with and without the port."""
    return _forms(url, slashes=False)


def handshake_urls(bases: str | Sequence[str], path: str) -> list[str]:
    """The forms of a stream's URL that Twilio may have signed: wss, an empty path as "/", with and without a trailing
    slash and the port. Also what to log when none of them fits."""
    forms: list[str] = []
    for base in [bases] if isinstance(bases, str) else bases:
        scheme, mark, rest = base.partition("://")
        scheme = {"https": "wss", "http": "ws"}.get(scheme.lower(), scheme.lower())
        forms += _forms(scheme + mark + rest.rstrip("/") + "/" + path.lstrip("/"), slashes=True)
    return list(dict.fromkeys(forms))


def was_forwarded(header_names: Iterable[str]) -> bool:
    """Whether a request shows that it came through a proxy or a tunnel, and is only seemingly from this machine."""
    return any(_FORWARDING.fullmatch(name) for name in header_names)


def _matches(auth_token: str, urls: Iterable[str], pairs: list[tuple[str, str]], signature: str | None) -> bool:
    if not auth_token or not signature or not all(isinstance(value, str) for _, value in pairs):
        return False
    given = signature.encode("utf-8", "replace")
    good = [hmac.compare_digest(sign(auth_token, url, pairs).encode("ascii"), given) for url in urls]
    return any(good)


def _pairs(params: Parameters) -> Iterable[tuple[str, str]]:
    if not isinstance(params, Mapping):
        return params
    return [(name, one) for name, value in params.items() for one in (value if isinstance(value, list) else [value])]


def _forms(url: str, *, slashes: bool) -> list[str]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    host, colon, port = parts.netloc.rpartition(":")
    bare = host if colon and port.isdigit() else parts.netloc
    hosts = [parts.netloc, bare]
    if parts.scheme in _PORTS:
        hosts.append(f"{bare}:{_PORTS[parts.scheme]}")
    stem = parts.path.rstrip("/")
    paths = [stem, f"{stem}/"] if slashes else [parts.path]
    forms = [urlunsplit(parts._replace(netloc=host, path=path or "/")) for host in hosts for path in paths]
    return list(dict.fromkeys(forms if slashes else [url, *forms]))
