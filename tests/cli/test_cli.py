"""The commands: what they print, how they end, and how soon they are there."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from websockets.sync.client import ClientConnection, connect

from offhook.cli import main as cli

AGENT = """
from offhook import Agent, ConfigurationError
from offhook.providers.scripted import ScriptedModel, ScriptedTranscriber, ScriptedVoice

agent = Agent(greeting="Hello.", stt=ScriptedTranscriber(), llm=ScriptedModel(), tts=ScriptedVoice(delay=0))


class Unready(ScriptedVoice):
    async def ready(self):
        raise ConfigurationError("a key is missing: set NOBODYS_KEY")


unready = Agent(stt=ScriptedTranscriber(), llm=ScriptedModel(), tts=Unready())
keyless = Agent(stt="openai/whisper-1", llm=ScriptedModel(), tts=ScriptedVoice())
unknown = Agent(stt="opnai/whisper-1", llm=ScriptedModel(), tts=ScriptedVoice())
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty environment in an empty folder, with an agent's file."""
    for name in list(os.environ):
        if name.startswith(("OFFHOOK_", "TWILIO_", "OPENAI_")):
            monkeypatch.delenv(name)
    # `serve` sets these; so they are put back.
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    monkeypatch.chdir(tmp_path)
    Path("agent.py").write_text(AGENT)
    Path("manifest.tsv").write_text("file\ttranscript\n")


def offhook(*arguments: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    source = str(Path(cli.__file__).parents[2])
    paths = os.pathsep.join([source, os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-m", "offhook.cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )


def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """The command within this process: exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["offhook", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["serve", "nobody.py"], "there is no file nobody.py"),
        (["serve", "agent.py:noon"], 'no agent named "noon"; it has agent, keyless, unknown, unready'),
        (["serve", "agent.py", "--host", "0.0.0.0"], "--insecure"),
        (["serve", "agent.py", "--public-url", "https://phone.example.com"], "TWILIO_AUTH_TOKEN"),
        (["serve", "agent.py", "--public-url", "phone.example.com"], "OFFHOOK_PUBLIC_URL: must look like"),
        (["serve", "agent.py", "--log-format", "xml"], "OFFHOOK_LOG_FORMAT"),
        (["serve", "agent.py", "--port", "99999"], "--port/OFFHOOK_PORT: "),
        (
            ["serve", "agent.py", "--port", "0", "--workers", "1", "--record", "agent.py"],
            "cannot be recorded in agent.py",
        ),
        (["serve", "agent.py:unready", "--port", "0"], "set NOBODYS_KEY"),
        (["serve", "agent.py:keyless", "--port", "0"], "OPENAI_API_KEY is not set"),
        (["serve", "agent.py:unknown", "--port", "0"], "no transcriber is called 'opnai'; did you mean 'openai'?"),
        (["replay", "nobody.tape"], "cannot read nobody.tape"),
        (["score", ".", "--html", "nowhere/x.html"], "cannot write nowhere/x.html: No such file or directory"),
        (["bench", "--json", "nowhere/x.json"], "cannot write nowhere/x.json: No such file or directory"),
        (["bench", "--url", "blah"], "blah is no address: http://HOST:PORT or ws://… is wanted"),
        (["ring", "blah"], "blah is no address: http://HOST:PORT or ws://… is wanted"),
        (["ring", "localhost:8080"], "localhost:8080 is no address"),
        (["ring", "ws://127.0.0.1:port"], "ws://127.0.0.1:port is no address"),
        (["ring", "http://[::1"], "http://[::1 is no address"),
        (["score", "nowhere"], "nowhere has no manifest.tsv"),
        (["replay", "agent.py"], "no tape"),
        (["ring", "http://127.0.0.1:9"], "cannot be reached"),
        (["ring", "ws://127.0.0.1:9/twilio/stream", "--say", "nobody.wav"], "there is no file nobody.wav"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, *arguments)
    assert code == 2
    assert not out
    assert words in err
    assert err.startswith("offhook: ")
    assert err.count("\n") == 1


def test_openais_account_may_stand_in_the_env_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(".env").write_text("OPENAI_API_KEY=sk-hush\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n")
    code, out, err = run(capsys, monkeypatch, "serve", "agent.py:keyless", "--port", "0")
    assert code == 2
    assert "openai/whisper-1: All connection attempts failed" in err, "with that key, at that address"
    assert "sk-hush" not in out + err


def test_a_port_in_use(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run(capsys, monkeypatch, "serve", "agent.py", "--port", str(port))
    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in err


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("\n\nraise RuntimeError('the oven is on fire')\n", "broken.py:3: RuntimeError: the oven is on fire"),
        ("\nimport ovens\n", "broken.py:2 needs the module ovens: pip install ovens"),
        ("import json.ovens\n", "broken.py:1: ModuleNotFoundError: No module named 'json.ovens'"),
        ("import offhook.ovens\n", "broken.py:1: ModuleNotFoundError: No module named 'offhook.ovens'"),
        ("agent = 5\n", '"agent" is an int, not an Agent'),
        ("class answer: ...\n", '"answer" is a type, not an Agent'),
        ("agent = Agent(\n", "broken.py:1: SyntaxError: '(' was never closed"),
        ("from offhook import Agent\nagent = Agent()\n", "An agent needs somebody to decide what to say"),
    ],
)
def test_an_agent_that_does_not_import(
    code: str, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("broken.py").write_text(code)
    exit_code, out, err = run(capsys, monkeypatch, "serve", "broken.py")
    assert exit_code == 2
    assert not out
    assert words in err
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_where_connections_cannot_be_passed_on_there_is_one_worker(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(socket, "send_fds")
    for options in (["--workers", "2"], ["--reload"]):
        exit_code, _, err = run(capsys, monkeypatch, "serve", "agent.py", *options)
        assert exit_code == 2
        assert "leave --workers at 1" in err
        assert err.count("\n") == 1
    _, _, err = run(capsys, monkeypatch, "serve", "nobody.py")
    assert "there is no file nobody.py" in err


def test_an_overflow_that_makes_no_sense_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exit_code, _, err = run(capsys, monkeypatch, "serve", "agent.py", "--workers", "1", "--overflow", "queue")
    assert exit_code == 2
    assert "OFFHOOK_OVERFLOW must be" in err


def test_help_names_every_verb_and_imports_nothing_heavy() -> None:
    heavy = ("numpy", "fastapi", "uvicorn", "pydantic", "twilio", "prometheus_client", "websockets", "asyncio")
    source = str(Path(cli.__file__).parents[2])
    script = (
        "import sys; import offhook.cli.main as cli; sys.argv[1:] = ['--help']\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert all(verb in done.stdout for verb in ("serve", "ring", "replay", "version"))
    assert done.stdout.rstrip().endswith("[]")


def test_no_verb_is_a_question_for_help(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, out, err = run(capsys, monkeypatch)
    assert "serve" in out + err


def listen(phone: ClientConnection, seconds: float) -> None:
    """Take what comes for so long."""
    until = time.monotonic() + seconds
    with suppress(TimeoutError):
        while (left := until - time.monotonic()) > 0:
            phone.recv(timeout=left)


@pytest.fixture
def served() -> Iterator[tuple["subprocess.Popen[str]", int, float, str]]:
    """A server, its port, how many seconds it took to listen, and what it said."""
    began = time.monotonic()
    server = offhook("serve", "agent.py", "--port", "0", "--record", "calls", "--log-format", "json", "--drain", "10")
    assert server.stdout
    said = server.stdout.readline()
    took = time.monotonic() - began
    found = re.search(r"port (\d+)", said)
    try:
        assert found, server.communicate()
        yield server, int(found[1]), took, said
    finally:
        server.kill()
        server.communicate()


def test_a_server_from_start_to_drain(served: tuple["subprocess.Popen[str]", int, float, str]) -> None:
    from offhook.carrier.twilio import messages

    server, port, took, said = served
    assert took < 10, "a shared machine may be slow; the figure to reach is 1.5 s"
    assert f"http://127.0.0.1:{port}/twilio/voice" in said

    rung = offhook("ring", f"http://127.0.0.1:{port}")
    out, err = rung.communicate(timeout=20)
    assert rung.returncode == 0, err
    assert "agent speaks" in out
    assert not err

    with connect(f"ws://127.0.0.1:{port}/twilio/stream", compression=None) as phone:
        phone.send(messages.connected())
        phone.send(messages.start("MZ1", "CA1", "AC1"))
        assert phone.recv()
        server.send_signal(signal.SIGTERM)
        listen(phone, 0.7)
        assert server.poll() is None, "a running call may finish"
        phone.send(messages.stop("MZ1", "CA1", "AC1", sequence=2))
        out, err = server.communicate(timeout=10)
    assert server.returncode == 0
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    events = [line["event"] for line in lines if line.get("call") == "CA1"]
    assert events[0] == "start"
    assert events[-1] == "end"
    assert "no TWILIO_AUTH_TOKEN" in err

    tapes = sorted(Path("calls").glob("*.tape"))
    assert len(tapes) == 2
    for tape in tapes:
        replayed = offhook("replay", str(tape), "--timeline")
        out, err = replayed.communicate(timeout=20)
        assert replayed.returncode == 0, out + err
        assert "CallEnded" in out
        assert "The same" in out


def test_a_second_signal_does_not_wait(served: tuple["subprocess.Popen[str]", int, float, str]) -> None:
    from offhook.carrier.twilio import messages

    server, port, _, _ = served
    with connect(f"ws://127.0.0.1:{port}/twilio/stream", compression=None) as phone:
        phone.send(messages.start("MZ1", "CA1", "AC1"))
        phone.recv()
        server.send_signal(signal.SIGINT)
        listen(phone, 0.5)
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=8)
    assert server.returncode == 0
