"""`WS /v1/realtime?model=…`: a conversation aloud. The caller's turns come as audio, replies go as audio and words."""

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec
import numpy as np
from starlette.websockets import WebSocket, WebSocketDisconnect

from offhook.audio import mulaw
from offhook.providers.scripted import hum
from offhook.simulator.openai_server.answers import ApiError
from offhook.simulator.openai_server.chat import words
from offhook.simulator.openai_server.faults import Fault, Trouble
from offhook.simulator.openai_server.log import Request
from offhook.simulator.openai_server.realtime_items import RATE, Item, Items
from offhook.simulator.openai_server.script import Messages, Script, Turn

VOICES = frozenset("alloy ash ballad coral echo sage shimmer verse marin cedar".split())  # noqa: SIM905
_SHORTEST = RATE // 10
"""Samples that a commit must have."""
_FRAME = RATE // 50


@dataclass(eq=False, slots=True)
class _Response:
    """A reply in the making. One that is `aside` is not written to the conversation."""

    id: str
    metadata: dict[str, str]
    aside: bool
    output: Items = field(default_factory=Items)
    task: asyncio.Task[None] | None = None

    def described(self, status: str, **more: Any) -> dict[str, Any]:
        output = [item.described for item in self.output]
        return {"id": self.id, "status": status, "metadata": self.metadata, "output": output} | more


class Talk:
    """One socket. What it was told and what has become of the conversation stands in the request's `asked`: `session`,
    `items`, `contexts` (the messages that each reply was made from), `statuses` of replies, `responses` (replies in the
    making), `bytes` of audio and `errors`."""

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
        self._items = Items()
        self._active: _Response | None = None
        self._responses: dict[str, _Response] = {}
        self._work: set[asyncio.Task[None]] = set()
        self._made = self._pieces = 0
        request.asked |= {"items": self._items, "contexts": [], "statuses": [], "bytes": 0, "errors": []}
        request.asked["responses"] = self._responses

    async def run(self) -> None:
        """Serve until the client leaves or the session expires."""
        await self._socket.accept()
        self._request.status = 101
        await self._say("session.created", session={"type": "realtime", "id": f"sess_{self._request.number}"})
        try:
            async with asyncio.timeout(self._script.expiry):
                while True:
                    await self._take(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        except TimeoutError:
            minutes = self._script.expiry / 60
            message = f"Your session hit the maximum duration of {minutes:g} minutes."
            await self._refuse(ApiError(400, message, "session_expired"), None)
            await self._socket.close(1001)
        finally:
            for task in self._work:
                task.cancel()

    async def _take(self, text: str) -> None:
        if self._trouble is Trouble.GARBAGE:
            await self._socket.send_text("<html>Bad gateway</html>")
            return
        event = msgspec.json.decode(text, type=dict[str, Any])
        try:
            await self._handle(event)
        except ApiError as error:
            await self._refuse(error, event.get("event_id"))

    async def _handle(self, event: dict[str, Any]) -> None:
        match event.get("type"):
            case "session.update":
                await self._update(event["session"])
            case "input_audio_buffer.append":
                try:
                    self._audio += base64.b64decode(event["audio"], validate=True)
                except binascii.Error:
                    raise ApiError(400, "Invalid audio: it must be base64", "invalid_value") from None
            case "input_audio_buffer.commit":
                await self._commit()
            case "conversation.item.create":
                item = self._items.create(event["item"], event.get("previous_item_id"), self._name("item"))
                await self._say("conversation.item.added", item=item.described)
            case "conversation.item.delete":
                self._items.remove(self._items.find(event.get("item_id")))
                await self._say("conversation.item.deleted", item_id=event["item_id"])
            case "conversation.item.truncate":
                end = event["audio_end_ms"]
                item = self._items.truncate(event["item_id"], event["content_index"], end)
                await self._say("conversation.item.truncated", item_id=item.id, content_index=0, audio_end_ms=end)
            case "response.create":
                await self._create(event.get("response") or {})
            case "response.cancel":
                await self._cancel(event.get("response_id"))
            case other:
                raise ApiError(400, f"Invalid value: '{other}'.", "invalid_value", param="type")

    async def _update(self, session: dict[str, Any]) -> None:
        audio = session.get("audio") or {}
        heard, spoken = audio.get("input") or {}, audio.get("output") or {}
        if session.get("type") != "realtime":
            raise ApiError(400, "This is a realtime session: session.type must say so", "invalid_value")
        if spoken.get("voice", "alloy") not in VOICES:
            raise ApiError(400, f"voice must be one of {sorted(VOICES)}", "invalid_value", param="session.audio")
        for side in (heard, spoken):
            if (side.get("format") or {}).get("type") != "audio/pcmu":
                raise ApiError(400, "this local server takes and gives audio/pcmu only", "invalid_value")
        if "turn_detection" not in heard or heard["turn_detection"] is not None:
            raise ApiError(400, "this local server detects no turns: turn_detection must be null", "invalid_value")
        self._request.asked["session"] = session
        match self._trouble:
            case Trouble.MUTE:
                return
            case Trouble.OTHER_FORMAT:
                spoken = spoken | {"format": {"type": "audio/pcm", "rate": 24_000}}
            case Trouble.OTHER_TURNS:
                heard = heard | {"turn_detection": {"type": "server_vad"}}
        await self._say("session.updated", session=session | {"audio": {"input": heard, "output": spoken}})

    async def _commit(self) -> None:
        audio = bytes(self._audio)
        if len(audio) < _SHORTEST:
            length = f"{len(audio) / RATE * 1000:.2f}ms"
            message = f"Error committing input audio buffer: buffer too small. Expected at least 100ms, got {length}."
            raise ApiError(400, message, "input_audio_buffer_commit_empty")
        self._audio.clear()
        self._request.asked["bytes"] += len(audio)
        text = self._script.heard(self._count(), RATE, mulaw.decode(audio))
        last = self._items[-1].id if self._items else None
        item = Item(self._name("item"), role="user", text=text, samples=len(audio))
        self._items.append(item)
        await self._say("input_audio_buffer.committed", item_id=item.id, previous_item_id=last)
        self._start(self._transcribe(item.id, text))

    async def _transcribe(self, item: str, text: str) -> None:
        await asyncio.sleep(self._script.transcription.delay(self._random))
        name = "conversation.item.input_audio_transcription"
        for number, delta in enumerate(words(text)):
            if number:
                await asyncio.sleep(self._script.transcription.then)
            await self._say(f"{name}.delta", item_id=item, content_index=0, delta=delta)
        await self._say(f"{name}.completed", item_id=item, content_index=0, transcript=text)

    async def _create(self, wanted: dict[str, Any]) -> None:
        aside = wanted.get("conversation") == "none"
        if self._active is not None and not aside:
            message = f"Conversation already has an active response in progress: {self._active.id}."
            raise ApiError(400, message, "conversation_already_has_active_response")
        response = _Response(self._name("resp"), wanted.get("metadata") or {}, aside)
        self._responses[response.id] = response
        if aside:
            turn = Turn(wanted["instructions"].rpartition("\n")[2])
        else:
            self._active = response
            messages: Messages = [item.message for item in self._items]
            self._request.asked["contexts"].append(messages)
            turn = self._script.answer(messages)
        await self._say("response.created", response=response.described("in_progress"))
        response.task = self._start(self._respond(response, turn))

    async def _cancel(self, response_id: str | None) -> None:
        response = self._responses.get(response_id) if response_id else self._active
        if response is None or response.task is None:
            raise ApiError(400, "Cancellation failed: no active response found", "response_cancel_not_active")
        response.task.cancel()
        await self._end(response, "cancelled")

    async def _respond(self, response: _Response, turn: Turn) -> None:
        await asyncio.sleep(self._script.reply.delay(self._random))
        if self._trouble is Trouble.FAILED:
            error = {"type": "server_error", "code": "rate_limit_exceeded", "message": "Rate limit reached"}
            await self._end(response, "failed", status_details={"type": "failed", "error": error})
            return
        if turn.text:
            await self._speak(response, turn.text)
        for tool in turn.tools:
            call = {"call_id": self._name("call"), "name": tool.name, "arguments": tool.arguments}
            await self._add(response, Item(self._name("item"), "function_call", call=call))
            place = {"response_id": response.id, "item_id": response.output[-1].id, "output_index": 0}
            await self._say("response.function_call_arguments.done", **place, **call)
        await self._end(response, "completed")

    async def _speak(self, response: _Response, text: str) -> None:
        item = Item(self._name("item"), role="assistant")
        await self._add(response, item)
        place = {"response_id": response.id, "item_id": item.id, "output_index": 0, "content_index": 0}
        for number, word in enumerate(words(text)):
            if number:
                await asyncio.sleep(self._script.reply.then)
            item.text += word
            self._perhaps_cut()
            await self._say("response.output_audio_transcript.delta", **place, delta=word)
            samples = np.frombuffer(hum(word.strip(), RATE, self._script.word_seconds), "<i2")
            for at in range(0, len(samples), _FRAME if self._script.realtime_voice else len(samples)):
                piece = samples[at : at + _FRAME] if self._script.realtime_voice else samples
                await asyncio.sleep(_FRAME / RATE if at else 0)
                await self._piece(place, item, mulaw.encode(piece))
        await self._say("response.output_audio.done", **place)

    def _perhaps_cut(self) -> None:
        if self._fault and self._trouble is Trouble.CLOSE and self._pieces == self._fault.after:
            self._abort()
            raise WebSocketDisconnect

    async def _piece(self, place: dict[str, Any], item: Item, audio: bytes) -> None:
        self._perhaps_cut()
        self._pieces += 1
        item.samples += len(audio)
        await self._say("response.output_audio.delta", **place, delta=base64.b64encode(audio).decode())

    async def _add(self, response: _Response, item: Item) -> None:
        response.output.append(item)
        if not response.aside:
            self._items.append(item)
        place = {"response_id": response.id, "output_index": len(response.output) - 1}
        await self._say("response.output_item.added", item=item.described, **place)

    async def _end(self, response: _Response, status: str, **more: Any) -> None:
        del self._responses[response.id]
        if response is self._active:
            self._active = None
        self._request.asked["statuses"].append(status)
        spent = sum(len(item.text.split()) for item in self._items)
        written = sum(len(item.text.split()) for item in response.output)
        usage = {"input_tokens": spent, "output_tokens": written, "input_token_details": {"cached_tokens": 0}}
        await self._say("response.done", response=response.described(status, usage=usage, **more))

    async def _refuse(self, error: ApiError, event_id: str | None) -> None:
        self._request.asked["errors"].append(error.body["error"]["message"])
        await self._say("error", error=error.body["error"] | {"event_id": event_id})

    @property
    def _trouble(self) -> Trouble | None:
        return self._fault.trouble if self._fault else None

    def _name(self, kind: str) -> str:
        self._made += 1
        return f"{kind}_{self._request.number}_{self._made}"

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(self._quietly(work))
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def _quietly(self, work: Any) -> None:
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await work

    async def _say(self, kind: str, **fields: Any) -> None:
        await self._socket.send_text(msgspec.json.encode({"type": kind} | fields).decode())
