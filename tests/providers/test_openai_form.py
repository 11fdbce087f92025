"""Forms with a file: read back as they were written, and named as the SDK names what is nested."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.providers.openai_form import flat, form
from offhook.simulator.openai_server.multipart import Part, parse


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(), max_size=5), st.binary())
def test_a_form_is_read_as_it_was_written(fields: dict[str, str], wav: bytes) -> None:
    body, kind = form(fields, wav)
    expected = [Part(name, "", value.encode()) for name, value in fields.items()]
    assert [part._replace(filename=part.filename or "") for part in parse(kind, body)] == [
        *expected,
        Part("file", "utterance.wav", wav),
    ]


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (None, []),
        (True, [("x", "true")]),
        (0, [("x", "0")]),
        (0.5, [("x", "0.5")]),
        ("a\r\nb", [("x", "a\r\nb")]),
        (["logprobs", "more"], [("x[]", "logprobs"), ("x[]", "more")]),
        ({"type": "server_vad", "deep": {"a": 1}}, [("x[type]", "server_vad"), ("x[deep][a]", "1")]),
        ([], []),
    ],
)
def test_values_are_named_as_openai_names_them(value: Any, fields: list[tuple[str, str]]) -> None:
    assert list(flat("x", value)) == fields
