"""Who may reach the server: the rule for starting, and the base that signatures are checked against."""

from typing import Any

import pytest
from doors import TOKEN, plain
from starlette.requests import HTTPConnection

from offhook.errors import ConfigurationError
from offhook.server.guard import Guard, base_url, refuse_exposure

PUBLIC = "https://phone.example.com"


def asked(path: str = "/", *, root: str = "", client: str = "127.0.0.1", **headers: str) -> HTTPConnection:
    given = {"host": "127.0.0.1:8080", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return HTTPConnection(
        {
            "type": "http",
            "path": root + path,
            "root_path": root,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": (client, 50_000),
            "server": ("127.0.0.1", 8080),
        }
    )


@pytest.mark.parametrize(
    ("settings", "served"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "0.0.0.0", "insecure": True}, True),
        ({"public_url": PUBLIC}, False),
        ({"public_url": PUBLIC, "insecure": True}, True),
        ({"public_url": "http://127.0.0.1:8080"}, True),
        ({"twilio_auth_token": TOKEN}, True),
        ({"twilio_auth_token": TOKEN, "public_url": PUBLIC}, True),
        ({"twilio_auth_token": TOKEN, "public_url": PUBLIC, "host": "0.0.0.0"}, True),
        ({"twilio_auth_token": TOKEN, "host": "0.0.0.0"}, False),
        ({"twilio_auth_token": TOKEN, "host": "0.0.0.0", "insecure": True}, False),
    ],
)
def test_what_is_served_at_all(settings: dict[str, Any], served: bool) -> None:
    if served:
        refuse_exposure(plain(**settings))
    else:
        with pytest.raises(ConfigurationError, match=r"--insecure|--public-url"):
            refuse_exposure(plain(**settings))


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (asked(), None),
        (asked(host="localhost"), None),
        (asked(host="[::1]:8080"), None),
        (asked(client="::1"), None),
        (asked(client="10.0.0.7"), "only this machine"),
        (asked(host="phone.example.com"), "only requests to 127.0.0.1"),
        (asked(host=""), "only requests to 127.0.0.1"),
        (asked(origin="https://evil.example"), "web pages"),
        (asked(x_forwarded_for="1.2.3.4"), "proxy or tunnel"),
        (asked(cf_ray="1"), "proxy or tunnel"),
        (asked(ngrok_trace_id="1"), "proxy or tunnel"),
    ],
)
def test_without_a_token_only_this_machine_is_served(request_: HTTPConnection, words: str | None) -> None:
    refusal = Guard(plain()).refuse_stranger(request_)
    assert refusal is None if words is None else words in str(refusal)


def test_insecure_serves_strangers_but_a_proxy_needs_a_public_url() -> None:
    stranger = asked(client="10.0.0.7", host="phone.example.com")
    assert Guard(plain(insecure=True)).refuse_stranger(stranger) is None
    forwarded = asked(x_forwarded_host="phone.example.com")
    assert "--public-url" in str(Guard(plain(insecure=True)).refuse_stranger(forwarded))
    assert Guard(plain(insecure=True, public_url=PUBLIC)).refuse_stranger(forwarded) is None


@pytest.mark.parametrize(
    ("public", "root", "base"),
    [
        ("", "", "http://127.0.0.1:8080"),
        ("", "/phone", "http://127.0.0.1:8080/phone"),
        (PUBLIC, "", PUBLIC),
        (PUBLIC, "/phone", PUBLIC + "/phone"),
        (PUBLIC + "/phone", "/phone", PUBLIC + "/phone"),
        (PUBLIC + "/api", "/phone", PUBLIC + "/api/phone"),
    ],
)
def test_the_base_url_knows_where_the_application_is_mounted(public: str, root: str, base: str) -> None:
    assert base_url(plain(public_url=public), asked(root=root)) == base


def test_a_refusal_names_the_url_and_never_the_token() -> None:
    guard = Guard(plain(twilio_auth_token=TOKEN, public_url=PUBLIC))
    refusal = str(guard.refuse_webhook(asked(), "/twilio/voice", {}))
    assert f"{PUBLIC}/twilio/voice" in refusal
    assert TOKEN not in refusal
