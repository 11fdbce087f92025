"""`offhook serve` as a user runs it: a process of its own, with OpenAI's account leading to a local server."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from offhook.call import tape
from offhook.call.tape import Tape
from offhook.cli import main as cli
from polling import until

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
_START = 20.0
_END = 10.0
"""Seconds; a shared machine may be slow."""


class Served:
    """A server, and what it leaves behind: its log's lines and the tapes of its calls."""

    def __init__(self, port: int, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.webhook = f"{self.base}/twilio/voice"
        self.exit_code: int | None = None
        self._folder = folder

    @property
    def errors(self) -> str:
        return (self._folder / "stderr").read_text(encoding="utf-8")

    @property
    def output(self) -> str:
        return (self._folder / "stdout").read_text(encoding="utf-8")

    def log(self, event: str = "") -> list[dict[str, Any]]:
        """The lines of calls, or those of one kind."""
        lines = [json.loads(line) for line in self.errors.splitlines() if line.startswith("{")]
        return [line for line in lines if event in ("", line.get("event"))]

    def said(self, event: str) -> list[str]:
        """The texts of one kind of line: "user said", "agent said"."""
        return [line["text"] for line in self.log(event)]

    async def logs(self, event: str, count: int = 1) -> None:
        """Until so many lines of one kind are there."""
        await until(lambda: len(self.log(event)) >= count, _END, every=0.02)

    def tapes(self) -> list[Tape]:
        return [tape.read(path.read_bytes()) for path in sorted((self._folder / "calls").glob("*.tape"))]


@asynccontextmanager
async def serving(example: str, folder: Path, openai: str) -> AsyncIterator[Served]:
    """Serve `examples/NAME.py`, told in `openai` where OpenAI's interfaces are; at the end, drain."""
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "offhook.cli.main", "serve", str(EXAMPLES / f"{example}.py"), "--port", "0"),
            *("--workers", "1"),
            *("--record", str(folder / "calls"), "--log-format", "json", "--drain", "5"),
            stdout=out,
            stderr=err,
            cwd=folder,
            env={**_environment(openai), "OFFHOOK_CACHE": str(folder / "cache")},
        )
    try:
        served = Served(await _port(process, folder), folder)
        yield served
        process.send_signal(signal.SIGTERM)
        served.exit_code = await asyncio.wait_for(process.wait(), _END)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _environment(openai: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("OFFHOOK_", "TWILIO_", "OPENAI_"))
    }
    source = os.pathsep.join([str(Path(cli.__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    return {**kept, "PYTHONPATH": source, "OPENAI_API_KEY": "sk-any", "OPENAI_BASE_URL": openai}


async def _port(process: asyncio.subprocess.Process, folder: Path) -> int:
    """The port that the server says it listens on."""
    async with asyncio.timeout(_START):
        while not (found := re.search(r"port (\d+)", (folder / "stdout").read_text(encoding="utf-8"))):
            assert process.returncode is None, (folder / "stderr").read_text(encoding="utf-8")
            await asyncio.sleep(0.02)
    return int(found[1])
