"""Settings: where they come from, and what is refused in one line."""

import os
from pathlib import Path

import pytest

from offhook.errors import ConfigurationError
from offhook.settings import LogFormat, Settings, is_loopback


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty environment in an empty folder."""
    for name in list(os.environ):
        if name.startswith(("OFFHOOK_", "TWILIO_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_defaults_serve_this_machine_only() -> None:
    settings = Settings.load()
    assert (settings.host, settings.port, settings.public_url, settings.insecure) == ("127.0.0.1", 8080, "", False)
    assert settings.start_timeout == 5


def test_environment_sets_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "PUBLIC_URL": "https://phone.example.com/",
        "MAX_CALLS": "7",
        "LOG_FORMAT": "json",
        "INSECURE": "true",
        "RECORD": "calls",
        "DRAIN": "2.5",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"OFFHOOK_{name}", value)
    settings = Settings.load()
    assert settings.public_url == "https://phone.example.com"
    assert (settings.max_calls, settings.log_format, settings.insecure) == (7, LogFormat.JSON, True)
    assert (settings.record, settings.drain) == (Path("calls"), 2.5)


def test_accounts_have_the_names_their_vendors_gave_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "sesame")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    settings = Settings.load()
    assert settings.twilio_auth_token.get_secret_value() == "sesame"
    assert settings.openai_base_url == "http://127.0.0.1:9/v1"


def test_given_values_go_before_the_environment_and_none_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_PORT", "9000")
    assert Settings.load(port=9001).port == 9001
    assert Settings.load(port=None).port == 9000


def test_an_env_file_is_read_and_an_empty_value_means_the_default() -> None:
    Path(".env").write_text("OFFHOOK_PORT=9002\nOFFHOOK_MAX_CALLS=\nTWILIO_AUTH_TOKEN=hush\n")
    settings = Settings.load()
    assert (settings.port, settings.max_calls) == (9002, 100)
    assert settings.twilio_auth_token.get_secret_value() == "hush"


def test_secrets_are_never_shown() -> None:
    settings = Settings.load(twilio_auth_token="hush-hush", openai_api_key="sk-hush")
    assert "hush" not in repr(settings) + str(settings)


def test_what_stands_in_the_env_file_reaches_openais_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "")
    Path(".env").write_text("OPENAI_API_KEY=sk-hush\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n")
    Settings.load().export()
    assert os.environ["OPENAI_API_KEY"] == "sk-hush"
    assert os.environ["OPENAI_BASE_URL"] == "http://127.0.0.1:9/v1"


def test_the_environment_goes_before_the_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    Path(".env").write_text("OPENAI_API_KEY=sk-another\n")
    Settings.load().export()
    assert os.environ["OPENAI_API_KEY"] == "sk-mine"
    assert os.environ["OPENAI_BASE_URL"] == "https://api.openai.com/v1", "the SDK takes an empty one at its word"


def test_no_key_is_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    Settings.load().export()
    assert "OPENAI_API_KEY" not in os.environ


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("port", "seventy", "OFFHOOK_PORT"),
        ("port", 70_000, "OFFHOOK_PORT"),
        ("max_calls", 0, "OFFHOOK_MAX_CALLS"),
        ("log_format", "xml", "OFFHOOK_LOG_FORMAT"),
        ("public_url", "http://phone.example.com", "https://"),
        ("public_url", "https://phone.example.com/?a=b", "query"),
        ("public_url", "https://phone.example.com/#x", "query"),
        ("public_url", "https://me:secret@phone.example.com", "must look like"),
        ("public_url", "phone.example.com", "must look like"),
        ("public_url", "https://[phone", "OFFHOOK_PUBLIC_URL"),
    ],
)
def test_bad_values_are_one_line_that_names_the_setting(name: str, value: object, words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(**{name: value})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_value_that_came_with_an_option_is_called_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFHOOK_DRAIN", "-1")
    with pytest.raises(ConfigurationError) as caught:
        Settings.load(max_calls=0, port=None)
    assert str(caught.value).startswith("--max-calls/OFFHOOK_MAX_CALLS: ")
    assert "; OFFHOOK_DRAIN: " in str(caught.value)


def test_http_is_for_loopback() -> None:
    assert Settings.load(public_url="http://127.0.0.1:8080").public_url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
        ("", False),
    ],
)
def test_what_loopback_is(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
