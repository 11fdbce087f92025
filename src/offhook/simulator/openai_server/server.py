"""The local server itself: a loopback port, the routes, and how each request is begun, watched and ended."""

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from random import Random
from types import TracebackType
from typing import Any, Self, TypeAlias

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from offhook.simulator.clock import LoopClock
from offhook.simulator.openai_server import (
    chat,
    faults,
    models,
    realtime,
    realtime_speech,
    responses,
    speech,
    transcriptions,
)
from offhook.simulator.openai_server.answers import Answer, ApiError, CutOffError
from offhook.simulator.openai_server.faults import Fault, Trouble
from offhook.simulator.openai_server.log import Log, Request, Stage
from offhook.simulator.openai_server.script import Script

_END = 1.0
"""Seconds for requests to notice that their client is gone."""

Work: TypeAlias = Callable[[Answer, HttpRequest], Awaitable[None]]


class LocalOpenAI:
    """Serves a script on a free loopback port while it is entered. `script` may be changed meanwhile."""

    def __init__(self, script: Script | None = None, port: int = 0) -> None:
        self.script = script or Script()
        self._port = port
        self._connections: dict[tuple[str, int], asyncio.Transport] = {}
        self._stretches = itertools.count(1)

    @property
    def base_url(self) -> str:
        """What to set `OPENAI_BASE_URL` to."""
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return len(self._connections)

    async def __aenter__(self) -> Self:
        self.requests = Log(LoopClock())
        # asyncio turns off Nagle's delay of 40 ms only for sockets that are said to be TCP, as create_server's are not.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self._server = uvicorn.Server(_config(self._app(), self._connections))
        self._server.config.load()
        self._server.lifespan = self._server.config.lifespan_class(self._server.config)
        await self._server.startup([listener])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Cut every connection and request. Uvicorn's own way out waits in steps of a tenth of a second."""
        for listener in self._server.servers:
            listener.close()
        for connection in list(self._connections.values()):
            connection.abort()
        if tasks := list(self._server.server_state.tasks):
            await asyncio.wait(tasks, timeout=_END)

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                self._route("/v1/audio/transcriptions", Stage.TRANSCRIPTION, self._with_form),
                self._route("/v1/chat/completions", Stage.CHAT, partial(self._with_json, chat.complete)),
                self._route("/v1/responses", Stage.RESPONSES, partial(self._with_json, responses.respond)),
                self._route("/v1/audio/speech", Stage.SPEECH, partial(self._with_json, speech.speak)),
                self._route("/v1/models", Stage.MODELS, self._models, "GET"),
                self._route("/v1/models/{model:path}", Stage.MODELS, self._models, "GET"),
                WebSocketRoute("/v1/realtime", self._realtime),
            ]
        )

    def _route(self, path: str, stage: Stage, work: Work, method: str = "POST") -> Route:
        return Route(path, _Endpoint(self, stage, work), methods=[method])

    async def serve(self, stage: Stage, work: Work, scope: Scope, receive: Receive, send: Send) -> None:
        """One request from its first byte to its end, or to the client's."""
        request = self.requests.begin(stage)
        http = HttpRequest(scope, receive)
        try:
            await http.body()
            await _unless_left(self._answer(request, work, http, send), receive)
        except ClientDisconnect:
            request.cancelled = True
        finally:
            request.ended = self.requests.clock()

    async def _answer(self, request: Request, work: Work, http: HttpRequest, send: Send) -> None:
        fault = faults.of(self.script.faults, request)
        answer = Answer(
            send, request, self.requests.clock, partial(self._abort, http.scope), fault, self._random(request)
        )
        try:
            await self._trouble(fault, http.scope)
            self._authorize(http)
            await work(answer, http)
        except ApiError as error:
            await answer.error(error)
        except CutOffError:
            return
        await answer.end()

    async def _trouble(self, fault: Fault | None, scope: Scope) -> None:
        """What goes wrong before there is an answer."""
        match fault and fault.trouble:
            case Trouble.REFUSE:
                self._abort(scope)
                raise CutOffError
            case Trouble.HANG:
                await asyncio.get_running_loop().create_future()
            case Trouble.SLOW if fault:
                await asyncio.sleep(fault.seconds)
            case Trouble.UNAUTHORIZED:
                raise _wrong_key()
            case Trouble.OVERLOADED if fault:
                error = ApiError(429, "Rate limit reached", "rate_limit_exceeded", "requests")
                error.headers["Retry-After"] = f"{fault.seconds:g}"
                raise error
            case Trouble.BROKEN:
                raise ApiError(500, "The server had an error while processing your request", kind="server_error")

    def _authorize(self, http: HttpRequest | WebSocket) -> None:
        scheme, _, key = http.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key or (self.script.key and key != self.script.key):
            raise _wrong_key()

    async def _with_form(self, answer: Answer, http: HttpRequest) -> None:
        content_type = http.headers.get("content-type", "")
        await transcriptions.transcribe(self.script, answer, content_type, await http.body())

    async def _with_json(
        self, work: Callable[[Script, Answer, dict[str, Any]], Awaitable[None]], answer: Answer, http: HttpRequest
    ) -> None:
        try:
            asked = msgspec.json.decode(await http.body(), type=dict[str, Any])
        except msgspec.DecodeError:
            raise ApiError(400, "We could not parse the JSON body of your request.") from None
        answer.request.asked.update(asked)
        await work(self.script, answer, asked)

    async def _models(self, answer: Answer, http: HttpRequest) -> None:
        await models.tell(self.script, answer, http.path_params.get("model"))

    async def _realtime(self, websocket: WebSocket) -> None:
        request = self.requests.begin(Stage.REALTIME)
        fault = faults.of(self.script.faults, request)
        abort = partial(self._abort, websocket.scope)
        count = partial(next, self._stretches)
        try:
            await websocket.receive()
            await _unless_left(self._trouble(fault, websocket.scope), websocket.receive)
            self._authorize(websocket)
            kind = self._kind_of_session(websocket.query_params)
            await kind(self.script, websocket, request, count, abort, fault, self._random(request)).run()
        except ApiError as error:
            request.status = error.status
            await websocket.send_denial_response(JSONResponse(error.body, error.status, error.headers))
        except CutOffError:
            pass
        except ClientDisconnect:
            request.cancelled = True
        finally:
            request.ended = self.requests.clock()

    def _kind_of_session(self, asked: Mapping[str, str]) -> type[realtime.Session] | type[realtime_speech.Talk]:
        """Transcription by intent, a conversation by its model. Raises ApiError."""
        model = asked.get("model")
        if asked.get("intent") == "transcription":
            return realtime.Session
        if model is None:
            raise ApiError(400, "connect with intent=transcription, or with a model to talk to")
        if self.script.models is not None and model not in self.script.models:
            raise ApiError(404, f"The model `{model}` does not exist", "model_not_found")
        return realtime_speech.Talk

    def _random(self, request: Request) -> Random:
        return Random(f"{self.script.seed} {request.stage} {request.number}")

    def _abort(self, scope: Scope) -> None:
        connection = self._connections.get(tuple(scope["client"]))
        if connection is not None:
            connection.abort()


class _Endpoint:
    """An ASGI application of its own, so that Starlette leaves the answer to us."""

    def __init__(self, server: LocalOpenAI, stage: Stage, work: Work) -> None:
        self._server, self._stage, self._work = server, stage, work

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._server.serve(self._stage, self._work, scope, receive, send)


async def _unless_left(work: Coroutine[Any, Any, None], receive: Callable[[], Awaitable[Any]]) -> None:
    """Do a piece of work, but drop it and raise ClientDisconnect when the client goes first."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_left(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(receive: Callable[[], Awaitable[Any]]) -> None:
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass


def _wrong_key() -> ApiError:
    return ApiError(401, "Incorrect API key provided.", "invalid_api_key")


def _config(app: Starlette, connections: dict[tuple[str, int], asyncio.Transport]) -> uvicorn.Config:
    class Watched(HttpToolsProtocol):
        """Keeps the transport at hand, so that it can be cut."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.peer: tuple[str, int] = transport.get_extra_info("peername")[:2]
            connections[self.peer] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            connections.pop(self.peer, None)

    class WatchedSocket(WebSocketsSansIOProtocol):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            connections.pop(self.transport.get_extra_info("peername")[:2], None)

    return uvicorn.Config(
        app,
        http=Watched,
        ws=WatchedSocket,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_keep_alive=60,
    )
