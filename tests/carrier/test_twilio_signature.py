"""Signatures: Twilio's own vectors, the forms a URL may have, and nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from offhook.carrier.twilio.signature import (
    handshake_urls,
    sign,
    validate_handshake,
    validate_webhook,
    was_forwarded,
)

# A handshake that Twilio really signed, published with its long invalidated token in the tests of enola-dev/enola
# (java/dev/enola/audio/voice/twilio/security/SignatureValidatorTest.java, Apache-2.0).
GENUINE_TOKEN = "c0e4d9d4fff66d194f3101ccd7c3a38c"
GENUINE_BASE = "wss://70cd1a93aa44.ngrok-free.app"
GENUINE_SIGNATURE = "CSS4F/5/iw8S6Zkm3aULeNJaVC8="

# Twilio's documented example; the signatures stand in the tests of twilio-python too.
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_the_genuine_handshake() -> None:
    assert sign(GENUINE_TOKEN, GENUINE_BASE + "/") == GENUINE_SIGNATURE
    for base in (GENUINE_BASE, GENUINE_BASE + "/", GENUINE_BASE.replace("wss", "https"), GENUINE_BASE + ":443"):
        for path in ("", "/"):
            assert validate_handshake(GENUINE_TOKEN, base, path, GENUINE_SIGNATURE)
    assert validate_handshake(GENUINE_TOKEN, ["https://wrong.example", GENUINE_BASE], "/", GENUINE_SIGNATURE)


def test_the_genuine_handshake_proves_nothing_else() -> None:
    assert not validate_handshake(GENUINE_TOKEN, GENUINE_BASE, "/twilio/stream", GENUINE_SIGNATURE)
    assert not validate_handshake(GENUINE_TOKEN, "https://example.com", "/", GENUINE_SIGNATURE)
    assert not validate_handshake(GENUINE_TOKEN, [], "/", GENUINE_SIGNATURE)
    assert not validate_handshake(GENUINE_TOKEN, "ws://70cd1a93aa44.ngrok-free.app", "/", GENUINE_SIGNATURE)
    assert not validate_handshake("0" * 32, GENUINE_BASE, "/", GENUINE_SIGNATURE)
    assert not validate_handshake(GENUINE_TOKEN, GENUINE_BASE, "/", GENUINE_SIGNATURE.lower())
    assert not validate_webhook(GENUINE_TOKEN, GENUINE_BASE.replace("wss", "https") + "/", {}, GENUINE_SIGNATURE)


@pytest.mark.parametrize("missing", [None, "", " "])
def test_a_missing_signature_or_token_proves_nothing(missing: str | None) -> None:
    assert not validate_handshake(GENUINE_TOKEN, GENUINE_BASE, "/", missing)
    assert not validate_webhook("12345", URL, PARAMS, missing)
    assert not validate_webhook("", URL, PARAMS, sign("", URL, PARAMS))


def test_the_documented_webhook() -> None:
    assert sign("12345", URL, PARAMS) == SIGNATURE
    assert validate_webhook("12345", URL, PARAMS, SIGNATURE)
    assert validate_webhook("12345", URL, reversed(PARAMS.items()), SIGNATURE)
    assert validate_webhook("12345", URL.replace(".com", ".com:1234"), PARAMS, SIGNATURE)
    assert validate_webhook("12345", URL, PARAMS, "kvajT1Ptam85bY51eRf/AJRuM3w=")  # signed with :443
    assert validate_webhook("12345", URL.replace("https", "http"), PARAMS, "0ZXoZLH/DfblKGATFgpif+LLRf4=")  # with :80
    assert not validate_webhook("12345", URL, {**PARAMS, "From": "+1"}, SIGNATURE)
    assert not validate_webhook("12345", URL + "&x=1", PARAMS, SIGNATURE)


def test_a_name_that_comes_twice() -> None:
    twice = "IK+Dwps556ElfBT0I3Rgjkr1wJU="
    pairs = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
    assert validate_webhook("12345", URL, pairs, twice)
    lists: dict[str, str | list[str]] = {"Sid": "CA123", "SidAccount": "AC123", "Digits": ["5678", "1234"]}
    assert validate_webhook("12345", URL, lists, twice)


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=9), max_size=5), st.text(min_size=1, max_size=9))
def test_signs_as_the_sdk_does(params: dict[str, str], token: str) -> None:
    assert sign(token, URL, params) == RequestValidator(token).compute_signature(URL, params)


@pytest.mark.parametrize("path", ["/twilio/stream", "/twilio/stream/"])
@pytest.mark.parametrize(
    "base", ["https://h.example", "https://h.example:443", "https://h.example:8443", "wss://[::1]"]
)
def test_slashes_and_ports_may_differ(base: str, path: str) -> None:
    plain = handshake_urls(base, "/twilio/stream")[0]
    assert plain.startswith("wss://")
    bare = plain.replace(":443/", "/").replace(":8443/", "/")
    with_port = bare.replace("/twilio", ":443/twilio")
    for signed in (plain, plain + "/", bare, bare + "/", with_port, with_port + "/"):
        assert validate_handshake("secret", base, path, sign("secret", signed))
    assert not validate_handshake("secret", base, path, sign("secret", plain + "//"))
    assert not validate_handshake("secret", base, path, sign("secret", plain.replace("wss", "https")))


def test_a_base_with_a_path() -> None:
    assert "wss://h.example/phone/twilio/stream" in handshake_urls("https://h.example/phone/", "/twilio/stream")


odd = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["http://[", "wss://[::1", "//", ":", "a://b:c@d:e"]
)


@given(odd, odd, odd | st.none(), st.lists(st.tuples(odd, odd), max_size=3), odd)
def test_odd_input_is_a_no(
    url: str, path: str, signature: str | None, params: list[tuple[str, str]], token: str
) -> None:
    assert not validate_webhook(token, url, params, signature)
    assert not validate_handshake(token, [url, "https://h.example"], path, signature)


def test_an_upload_among_the_fields_is_a_no() -> None:
    upload: Any = object()
    assert not validate_webhook("12345", URL, [("From", upload)], SIGNATURE)
    assert not validate_webhook("12345", URL, {"From": upload}, SIGNATURE)


def test_forwarded_requests_are_known() -> None:
    assert was_forwarded(["host", "X-Forwarded-For"])
    assert was_forwarded(["forwarded"])
    assert was_forwarded(["cf-connecting-ip"])
    assert not was_forwarded(["host", "user-agent", "x-twilio-signature", "connection"])
