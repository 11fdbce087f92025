"""Tokens: one call, one use, a short while; anything else is refused and says why."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.carrier.twilio import twiml
from offhook.carrier.twilio.tokens import PARAMETER, Refusal, SpentTokens, check, expires_at, mint

SECRET = b"a secret of the process"
CALL = "CA" + "c" * 32
TOKEN = mint(SECRET, CALL, 1_060, "nonce-1")


def test_a_token_admits_its_call_until_it_expires() -> None:
    assert check(SECRET, TOKEN, CALL, 1_000) is None
    assert check(SECRET, TOKEN, CALL, 1_059) is None
    assert check(SECRET, TOKEN, CALL, 1_060) is Refusal.EXPIRED
    assert check(SECRET, TOKEN, "CA" + "d" * 32, 1_000) is Refusal.OTHER_CALL
    assert check(b"another", TOKEN, CALL, 1_000) is Refusal.FORGED
    assert expires_at(TOKEN) == 1_060


def test_a_token_travels_as_a_parameter() -> None:
    assert twiml.fits(PARAMETER, mint(SECRET, "C" * 128, 10**10, "n" * 64))
    assert re.fullmatch(r"[A-Za-z0-9._-]+", TOKEN)


@given(st.integers(0, len(TOKEN) * 8 - 1))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    data = bytearray(TOKEN.encode())
    data[bit // 8] ^= 1 << bit % 8
    assert check(SECRET, data.decode("latin-1"), CALL, 1_000) in (Refusal.MALFORMED, Refusal.FORGED)


@given(st.text(st.characters(exclude_categories=())), st.text(st.characters(exclude_categories=())))
def test_any_text_is_refused(token: str, call_id: str) -> None:
    assert check(SECRET, token, CALL, 1_000) is Refusal.MALFORMED
    assert check(SECRET, TOKEN, call_id, 1_000) is Refusal.OTHER_CALL


@given(
    secret=st.binary(min_size=1),
    call_id=st.text(min_size=1, max_size=32),
    until=st.integers(1, 10**11),
    nonce=st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True),
)
def test_whatever_is_minted_is_good(secret: bytes, call_id: str, until: int, nonce: str) -> None:
    token = mint(secret, call_id, until, nonce)
    assert check(secret, token, call_id, until - 1) is None
    assert check(secret, token, call_id + "x", until - 1) is Refusal.OTHER_CALL
    assert check(secret, token + "\n", call_id, until - 1) is Refusal.MALFORMED


@pytest.mark.parametrize(("call_id", "nonce"), [("", "n"), (CALL, ""), (CALL, "a.b"), ("C" * 200, "n")])
def test_what_does_not_fit_is_our_mistake(call_id: str, nonce: str) -> None:
    with pytest.raises(AssertionError):
        mint(SECRET, call_id, 1_000, nonce)
    with pytest.raises(AssertionError):
        mint(b"", CALL, 1_000, "n")


def test_a_token_is_spent_once() -> None:
    spent = SpentTokens()
    assert spent.spend("a", expires_at=100, now=50)
    assert not spent.spend("a", expires_at=100, now=51)
    assert spent.spend("b", expires_at=90, now=52)
    assert not spent.spend("c", expires_at=52, now=52)


def test_spent_tokens_are_forgotten_when_they_expire() -> None:
    spent = SpentTokens()
    for number in range(1_000):
        assert spent.spend(str(number), expires_at=number + 60, now=number)
        assert len(spent) <= 60
    assert not spent.spend("999", expires_at=1_059, now=1_000)


def test_a_full_store_refuses_until_something_expires() -> None:
    spent = SpentTokens(most=2)
    assert spent.spend("a", expires_at=20, now=0)
    assert spent.spend("b", expires_at=10, now=0)
    assert not spent.spend("c", expires_at=30, now=0)
    assert spent.spend("c", expires_at=30, now=10)
