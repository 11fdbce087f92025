"""One HTTP answer of the local server, written piece by piece, and cut short on order."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import msgspec
from starlette.types import Send

from offhook.simulator.openai_server.faults import Fault, Trouble
from offhook.simulator.openai_server.log import Request
from offhook.timebase import Instant

SSE = "text/event-stream; charset=utf-8"
JSON = "application/json"


class ApiError(Exception):
    """What OpenAI answers when it does not do as asked. `kind` is its `type`."""

    def __init__(
        self, status: int, message: str, code: str = "", kind: str = "invalid_request_error", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        self.body = {"error": {"message": message, "type": kind, "param": param or None, "code": code or None}}


class CutOffError(Exception):
    """The connection was closed on purpose."""


class Answer:
    """Sends what an endpoint has to say. `random` is the request's own, seeded by its number."""

    def __init__(
        self,
        send: Send,
        request: Request,
        clock: Callable[[], Instant],
        abort: Callable[[], None],
        fault: Fault | None,
        random: Random,
    ) -> None:
        self.request = request
        self.random = random
        self._send, self._clock, self._abort, self._fault = send, clock, abort, fault
        self._content_type = ""
        self._pieces = 0

    async def begin(self, content_type: str, status: int = 200, headers: Mapping[str, str] = {}) -> None:
        """The head of the answer."""
        self._content_type = content_type
        self.request.status = status
        fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        fields.append((b"content-type", content_type.encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": fields})

    async def piece(self, data: bytes) -> None:
        """The next bytes of the body. Raises CutOffError where a fault says so."""
        trouble = self._fault.trouble if self._fault else None
        if trouble is Trouble.CLOSE and self._fault and self._pieces == self._fault.after:
            self._abort()
            raise CutOffError
        if trouble is Trouble.GARBAGE:
            page = b"<html>Bad gateway</html>"
            data = b"data: " + page + b"\n\n" if self._content_type == SSE else page
        self._pieces += 1
        if self.request.first is None:
            self.request.first = self._clock()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def event(self, payload: Mapping[str, Any] | str) -> None:
        """A server-sent event. Payloads with a `type` are named by it, as OpenAI names them."""
        name = f"event: {payload['type']}\n" if isinstance(payload, Mapping) and "type" in payload else ""
        text = payload if isinstance(payload, str) else msgspec.json.encode(payload).decode()
        await self.piece(f"{name}data: {text}\n\n".encode())

    async def json(self, payload: object, status: int = 200, headers: Mapping[str, str] = {}) -> None:
        """A whole answer, in two pieces, so that it too can be cut."""
        data = msgspec.json.encode(payload)
        await self.begin(JSON, status, headers)
        await self.piece(data[: len(data) // 2])
        await self.piece(data[len(data) // 2 :])

    async def error(self, error: ApiError) -> None:
        await self.json(error.body, error.status, error.headers)

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
