"""`WS /v1/realtime?intent=transcription`: audio in as it comes, the words of each committed stretch out."""

import asyncio
import base64
import binascii
import contextlib
import re
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from offhook.audio import mulaw
from offhook.simulator.openai_server.answers import ApiError
from offhook.simulator.openai_server.faults import Fault, Trouble
from offhook.simulator.openai_server.log import Request
from offhook.simulator.openai_server.script import Script

RATE = 8_000
_SHORTEST = RATE // 10
"""Samples that a commit must have."""


class Session:
    """One socket. `count` numbers stretches of audio over all sessions, so that a script's transcripts go on."""

    def __init__(
        self,
        script: Script,
        socket: WebSocket,
        request: Request,
        count: Callable[[], int],
        abort: Callable[[], None],
        fault: Fault | None,
        random: Random,
    ) -> None:
        self._script, self._socket, self._request, self._count = script, socket, request, count
        self._abort, self._fault, self._random = abort, fault, random
        self._audio = bytearray()
        self._last: str | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._held: list[tuple[str, str]] = []
        request.asked |= {"commits": [], "bytes": 0}

    async def run(self) -> None:
        """Serve until the client leaves or the session expires."""
        await self._socket.accept()
        self._request.status = 101
        await self._say("session.created", session={"type": "transcription", "id": f"sess_{self._request.number}"})
        try:
            async with asyncio.timeout(self._script.expiry):
                while True:
                    await self._take(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        except TimeoutError:
            minutes = self._script.expiry / 60
            await self._error(f"Your session hit the maximum duration of {minutes:g} minutes.", "session_expired")
            await self._socket.close(1001)
        finally:
            for task in self._work:
                task.cancel()

    async def _take(self, text: str) -> None:
        if self._fault and self._fault.trouble is Trouble.GARBAGE:
            await self._socket.send_text("<html>Bad gateway</html>")
            return
        try:
            event = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError:
            await self._error("The server could not parse the event.", "invalid_json")
            return
        try:
            await self._handle(event)
        except ApiError as error:
            details = error.body["error"] | {"event_id": event.get("event_id")}
            await self._say("error", error=details)

    async def _handle(self, event: dict[str, Any]) -> None:
        match event.get("type"):
            case "session.update":
                await self._update(event.get("session") or {})
            case "input_audio_buffer.append":
                try:
                    audio = base64.b64decode(event.get("audio") or "", validate=True)
                except binascii.Error:
                    raise ApiError(400, "Invalid audio: it must be base64", "invalid_value") from None
                self._audio += audio
                self._request.asked["bytes"] += len(audio)
            case "input_audio_buffer.clear":
                self._audio.clear()
                await self._say("input_audio_buffer.cleared")
            case "input_audio_buffer.commit":
                await self._commit()
            case other:
                raise ApiError(400, f"Invalid value: '{other}'.", "invalid_value", param="type")

    async def _update(self, session: dict[str, Any]) -> None:
        heard = (session.get("audio") or {}).get("input") or {}
        if session.get("type") != "transcription":
            raise ApiError(400, "This is a transcription session: session.type must say so", "invalid_value")
        if (heard.get("format") or {}).get("type") != "audio/pcmu":
            raise ApiError(400, "this local server takes audio/pcmu only", "invalid_value", param="session.audio")
        if "turn_detection" not in heard or heard["turn_detection"] is not None:
            raise ApiError(400, "this local server detects no turns: turn_detection must be null", "invalid_value")
        wanted = heard.get("transcription") or {}
        models = self._script.models
        if models is not None and wanted.get("model") not in models:
            raise ApiError(404, f"The model `{wanted.get('model')}` does not exist", "model_not_found")
        self._request.asked |= wanted
        await self._say("session.updated", session=session)

    async def _commit(self) -> None:
        audio = bytes(self._audio)
        if len(audio) < _SHORTEST:
            length = f"{len(audio) / RATE * 1000:.2f}ms"
            message = f"Error committing input audio buffer: buffer too small. Expected at least 100ms, got {length}."
            raise ApiError(400, message, "input_audio_buffer_commit_empty")
        if "model" not in self._request.asked:
            raise ApiError(400, "send session.update first", "invalid_value")
        self._audio.clear()
        commits: list[float] = self._request.asked["commits"]
        commits.append(len(audio) / RATE)
        if self._fault and self._fault.trouble is Trouble.CLOSE and len(commits) >= self._fault.after:
            self._abort()
            return
        item = f"item_{self._request.number}_{len(commits)}"
        await self._say("input_audio_buffer.committed", item_id=item, previous_item_id=self._last)
        self._last = item
        task = asyncio.create_task(self._transcribe(item, audio, self._count()))
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _transcribe(self, item: str, audio: bytes, number: int) -> None:
        await asyncio.sleep(self._script.transcription.delay(self._random))
        text = self._script.heard(number, RATE, mulaw.decode(audio))
        if self._script.scrambled:
            self._held.append((item, text))
            if len(self._held) < 2:
                return
            while self._held:
                await self._complete(*self._held.pop())
        else:
            await self._complete(item, text)

    async def _complete(self, item: str, text: str) -> None:
        name = "conversation.item.input_audio_transcription"
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            for number, delta in enumerate(re.findall(r"\s*\S+", text)):
                if number:
                    await asyncio.sleep(self._script.transcription.then)
                await self._say(f"{name}.delta", item_id=item, content_index=0, delta=delta)
            await self._say(f"{name}.completed", item_id=item, content_index=0, transcript=text)

    async def _error(self, message: str, code: str) -> None:
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": None, "event_id": None}
        await self._say("error", error=error)

    async def _say(self, kind: str, **fields: Any) -> None:
        await self._socket.send_text(msgspec.json.encode({"type": kind} | fields).decode())
