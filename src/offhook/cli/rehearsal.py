"""What `offhook demo` shows: a server, a caller, the dialogue between them as it happens, and what is left of it."""

import asyncio
import contextlib
from pathlib import Path
from statistics import median
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from rich.markup import escape

from offhook.call.outputs import AgentSaid, FlowFinished, Report, TurnTimed, UserSaid, Warned
from offhook.call.recording import stereo
from offhook.call.replay import first_difference
from offhook.call.tape import read
from offhook.cli.booking import BOOKING, GUEST, desk
from offhook.cli.guest import Guest, recorded, synthesized
from offhook.providers import registry
from offhook.runtime.journal import delays
from offhook.server.answers import VOICE_PATH
from offhook.server.app import asgi_app
from offhook.server.listening import listen
from offhook.server.live import LiveEngine
from offhook.server.serving import PhoneServer
from offhook.settings import Settings
from offhook.simulator.ring import ring


class Demonstration:
    """One call, shown on the terminal."""

    def __init__(self, folder: Path, caller_audio: Path | None) -> None:
        self._folder = folder
        self._caller_audio = caller_audio
        self._console = Console(highlight=False)
        self._reports: list[Report] = []
        self._guest: Guest | None = None
        self._before = set(folder.glob("*.tape"))
        self._settings = Settings.load(
            host="127.0.0.1", port=0, public_url="", record=folder, twilio_auth_token=SecretStr("")
        )

    async def run(self, limit: float) -> bool:
        """Make the call. True if a room was booked, and the call was over within `limit` seconds."""
        over = False
        with listen(self._settings.host, self._settings.port) as listener:
            engine = LiveEngine(self._settings, observer=self._report)
            listening = asyncio.Event()
            server = PhoneServer(
                asgi_app(desk(human=self._caller_audio is not None), self._settings, engine=engine),
                self._settings,
                listening.set,
            )
            serving = asyncio.create_task(server.run_until_stopped(listener))
            try:
                async with asyncio.timeout(limit):
                    await self._first(serving, self._call(listening, listener.getsockname()[1]))
                over = True
            except TimeoutError:
                self._print(f"[red]The call was not over after {limit:g} s.[/]")
            finally:
                server.stop()
                with contextlib.suppress(asyncio.CancelledError):
                    await serving
        return self._sum_up() and over

    async def _first(self, serving: "asyncio.Task[None]", work: Any) -> None:
        """Do the work, unless the server fails before. Where it is cut short, the caller has hung up when this ends."""
        working = asyncio.create_task(work)
        try:
            done, _ = await asyncio.wait({serving, working}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not working.done():
                working.cancel()
                await asyncio.wait({working})
        if serving in done:
            serving.result()
        working.result()

    async def _call(self, listening: asyncio.Event, port: int) -> None:
        await listening.wait()
        self._guest = Guest(await self._answers())
        self._print(f"Offhook listens on 127.0.0.1:{port}; a simulated caller rings.\n")
        report = await ring(f"http://127.0.0.1:{port}{VOICE_PATH}", self._guest.call)
        for problem in report.problems:
            self._print(f"[red]Not as the carrier wants it: {escape(problem)}[/]")

    async def _answers(self) -> dict[str, Any]:
        if self._caller_audio is not None:
            return recorded(self._caller_audio)
        voice = registry.voice(GUEST)
        try:
            await voice.ready()
            return await synthesized(voice)
        finally:
            await voice.aclose()

    def _report(self, report: Report) -> None:
        self._reports.append(report)
        if self._guest is not None:
            self._guest.overhear(report)
        match report:
            case UserSaid(text):
                self._print(f"[cyan]caller[/]  {escape(text)}")
            case AgentSaid(text, complete):
                self._print(f"[green]agent[/]   {escape(text)}{'' if complete else ' …'}")
            case TurnTimed():
                stages = ", ".join(f"{stage} {ms}" for stage, ms in delays(report).items() if stage != "played")
                self._print(f"        [dim]replies after {report.played // 1_000} ms ({stages})[/]")
            case Warned(_, words):
                self._print(f"[yellow]warning[/] {escape(words)}")
            case _:
                pass

    def _sum_up(self) -> bool:
        flow = next((report for report in self._reports if isinstance(report, FlowFinished)), None)
        done = flow is not None and flow.outcome == "done"
        self._print("")
        if flow is not None:
            for question in BOOKING.questions:
                value = flow.answers.get(question.id)
                self._print(f"{question.called:>18}  {question.answer.read_back(value) if value else '–'}")
        played = [report.played / 1_000 for report in self._reports if isinstance(report, TurnTimed)]
        if played:
            turns = f"median of {len(played)} turns, {max(played):.0f} at most"
            self._print(f"{'replies after':>18}  {median(played):.0f} ms ({turns})")
        for path in sorted(set(self._folder.glob("*.tape")) - self._before):
            self._keep(path)
        if not done:
            self._print("[red]No room was booked.[/]")
        return done

    def _keep(self, path: Path) -> None:
        """Turn a tape into a recording that can be listened to."""
        tape = read(path.read_bytes())
        recording = path.with_suffix(".wav")
        recording.write_bytes(stereo(tape))
        same = "replays exactly" if first_difference(tape) is None else "does not replay exactly"
        self._print(f"{'recording':>18}  {escape(str(recording))} (caller left, agent right)")
        self._print(f"{'tape':>18}  {escape(str(path))} ({same}: offhook replay --timeline TAPE)")

    def _print(self, markup: str) -> None:
        """One line, however long: what wraps cannot be copied."""
        self._console.print(markup, soft_wrap=True)
