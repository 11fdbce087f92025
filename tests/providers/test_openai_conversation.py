"""The conversation without a socket: whatever the order of events, both sides come to hold the same; nonsense breaks
nothing."""

import json
from base64 import b64encode
from collections import deque
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offhook.conversation.messages import Message, Role
from offhook.errors import Failure, ProviderError
from offhook.providers.openai_client import OpenAIError
from offhook.providers.speech.openai_conversation import RealtimeConversation
from offhook.providers.speech.openai_entries import CALL, Reply, Result
from offhook.providers.speech.openai_events import read
from offhook.simulator.openai_server.answers import ApiError
from offhook.simulator.openai_server.realtime_items import Item, Items

WORD = 800
"""Samples of each piece of a reply: 100 ms."""


def said(error: Any) -> ProviderError:
    return OpenAIError(Failure.BROKEN, str(error))


def nobody(_: Result) -> None:
    """Who does not care."""


class Server:
    """The other side, one step at a time: it takes orders, and says what it says, when it is told to."""

    def __init__(self) -> None:
        self.orders: deque[dict[str, Any]] = deque()
        self.events: deque[dict[str, Any]] = deque()
        self.items = Items()
        self.contexts: dict[str, list[str]] = {}
        self.errors: list[str] = []
        self._samples = self._names = 0
        self._response: dict[str, Any] | None = None
        self._left = 0

    def take(self) -> None:
        """The next order."""
        order = self.orders.popleft()
        try:
            self._obey(order)
        except ApiError as error:
            self.errors.append(f"{order['type']}: {error}")
            self._say("error", error=error.body["error"] | {"event_id": order["event_id"]})

    def speak(self) -> None:
        """The next piece of the reply that is being made."""
        if self._response is None:
            return
        if self._left == 3:
            self._item = Item(self._name(), role="assistant")
            self.items.append(self._item)
            self._say("response.output_item.added", response_id=self._response["id"], item=self._item.described)
        if self._left:
            self._left -= 1
            self._item.samples += WORD
            place = {"response_id": self._response["id"], "item_id": self._item.id}
            self._say("response.output_audio.delta", **place, delta=b64encode(bytes(WORD)).decode())
        else:
            self._end("completed")

    def _obey(self, order: dict[str, Any]) -> None:
        match order["type"]:
            case "input_audio_buffer.append":
                self._samples += len(order["audio"]) * 3 // 4 - order["audio"].count("=")
            case "input_audio_buffer.commit":
                item = Item(self._name(), role="user", text=f"{self._samples}", samples=self._samples)
                self._samples = 0
                self.items.append(item)
                self._say("input_audio_buffer.committed", item_id=item.id)
                name = "conversation.item.input_audio_transcription.completed"
                self._say(name, item_id=item.id, transcript=item.text)
            case "conversation.item.create":
                self.items.create(order["item"], order.get("previous_item_id"), "")
            case "conversation.item.delete":
                self.items.remove(self.items.find(order["item_id"]))
            case "conversation.item.truncate":
                self.items.truncate(order["item_id"], order["content_index"], order["audio_end_ms"])
            case "response.cancel":
                if self._response is None or self._response["id"] != order["response_id"]:
                    raise ApiError(400, "nothing to cancel")
                self._end("cancelled")
            case "response.create":
                if self._response is not None:
                    raise ApiError(400, "busy", "conversation_already_has_active_response")
                metadata = order["response"]["metadata"]
                self.contexts[metadata["request"]] = [item.text for item in self.items if item.role == "user"]
                self._response, self._left = {"id": self._name(), "metadata": metadata}, 3
                self._say("response.created", response=self._response)

    def _end(self, status: str) -> None:
        self._say("response.done", response=(self._response or {}) | {"status": status})
        self._response = None

    def _name(self) -> str:
        self._names += 1
        return f"name_{self._names}"

    def _say(self, kind: str, **fields: Any) -> None:
        self.events.append({"type": kind} | fields)


class Both:
    """A caller, our side and the server's, and all that may come between them."""

    def __init__(self) -> None:
        self.ours = RealtimeConversation("openai/test", said)
        self.kept: list[int] = []
        """The turns that were turns: requests by number; each is answered by the next number."""
        self.forgotten: set[str] = set()
        self.heard: dict[int, int] = {}
        self.gone: dict[str, set[str]] = {}
        """What was forgotten already when a reply was asked for."""
        self.number = 1
        self.reconnect()

    def text(self, number: int) -> str:
        return str(1_000 + number)

    def do(self, what: str, count: int) -> None:
        self._do(what, count)
        for order in self.ours.orders.out:
            order.setdefault("gone", set(self.forgotten))

    def _do(self, what: str, count: int) -> None:
        match what:
            case "pause":
                number, self.number = self.number, self.number + 2
                self.ours.hear(number, bytes(1_000 + number), nobody)
                self.ours.reply(number + 1, nobody)
                self.kept.append(number)
            case "goes on" if self.kept and self.kept[-1] + 1 not in self.heard:
                number = self.kept.pop()
                self.ours.forget(number)
                self.ours.forget(number + 1)
                self.forgotten.add(self.text(number))
            case "interrupt" if self.kept and self.kept[-1] + 1 not in self.heard:
                self.heard[self.kept[-1] + 1] = count * 300
                self.ours.cut(self.kept[-1] + 1, count * 300, f"heard {count * 300}")
            case "lose":
                self.reconnect()
            case "send":
                self.send()
            case "take":
                for _ in range(min(count, len(self.server.orders))):
                    self.server.take()
            case "speak":
                self.server.speak()
            case "receive":
                for _ in range(min(count, len(self.server.events))):
                    self.receive()

    def receive(self) -> None:
        self.ours.receive(read(json.dumps(self.server.events.popleft()).encode()))

    def send(self) -> None:
        for order in self.ours.orders.out:
            if order["type"] == "response.create":
                self.gone[order["response"]["metadata"]["request"]] = order.get("gone", set(self.forgotten))
        self.server.orders.extend(self.ours.orders.out)
        self.ours.orders.out.clear()

    def reconnect(self) -> None:
        self.ours.lost()
        self.server = Server()
        self.ours.connected()

    def settle(self) -> None:
        for _ in range(500):
            self.send()
            if self.server.orders:
                self.server.take()
            elif self.server.events:
                self.receive()
            elif self.ours.busy:
                self.server.speak()
            else:
                return
        raise AssertionError("it never comes to rest")


STEPS = st.tuples(
    st.sampled_from(["pause", "goes on", "interrupt", "send", "take", "speak", "receive", "send", "take", "receive"]),
    st.integers(0, 9),
)


def check(both: Both) -> None:
    both.settle()
    server = both.server
    assert [item.text for item in server.items if item.role == "user"] == [both.text(each) for each in both.kept]
    for request, context in server.contexts.items():
        assert len(set(context)) == len(context), "a turn was answered twice over"
        assert not set(context) & both.gone[request], "a turn was answered that was none"
        before = [both.text(each) for each in both.kept if each < int(request)]
        assert int(request) - 1 not in both.kept or set(before) <= set(context)
    for reply, heard in both.heard.items():
        found = both.ours._find(reply)
        assert isinstance(found, Reply)
        mine = [item for item in server.items if item.id in found.items]
        assert sum(item.samples for item in mine) <= heard
    assert not [error for error in server.errors if error.split(":")[0] != "response.cancel"]


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_both_sides_come_to_hold_the_same(steps: list[tuple[str, int]]) -> None:
    both = Both()
    for step in steps:
        both.do(*step)
    check(both)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS | st.just(("lose", 0)), max_size=40))
def test_and_also_over_connections_that_are_lost(steps: list[tuple[str, int]]) -> None:
    both = Both()
    for step in steps:
        both.do(*step)
    check(both)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["name_1", "name_2", "", "x"])
FIELDS = {
    "type": st.sampled_from(
        [
            "session.updated",
            "input_audio_buffer.committed",
            "conversation.item.input_audio_transcription.delta",
            "conversation.item.input_audio_transcription.completed",
            "conversation.item.input_audio_transcription.failed",
            "response.created",
            "response.output_item.added",
            "response.output_audio.delta",
            "response.output_audio_transcript.delta",
            "response.done",
            "error",
        ]
    )
    | st.text(max_size=5),
    "item_id": NAMES | JSON,
    "response_id": NAMES | JSON,
    "delta": st.just("AAAA") | JSON,
    "transcript": JSON,
    "item": st.fixed_dictionaries({"id": NAMES, "type": st.sampled_from(["message", "function_call"])}) | JSON,
    "response": st.fixed_dictionaries(
        {
            "id": NAMES,
            "status": st.sampled_from(["completed", "cancelled", "failed", "incomplete"]) | st.none(),
            "metadata": st.dictionaries(st.just("request"), st.sampled_from(["1", "2", "²"])) | st.none(),
            "output": st.lists(st.fixed_dictionaries({"id": NAMES, "type": st.just("function_call")}), max_size=2),
        }
    )
    | JSON,
    "error": st.fixed_dictionaries({"event_id": st.sampled_from(["create-2", "cancel-2", "note-1", "commit-1", "9"])})
    | JSON,
}
NONSENSE = st.fixed_dictionaries({}, optional=FIELDS)


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS | NONSENSE, max_size=12))
def test_nonsense_is_an_error_of_the_server_or_nothing(steps: list[Any]) -> None:
    both = Both()
    for step in steps:
        try:
            if isinstance(step, dict):
                both.ours.receive(read(json.dumps(step).encode()))
            else:
                both.do(*step)
        except ProviderError:
            both.reconnect()
    both.reconnect()
    both.settle()


def test_a_call_that_was_not_handed_on_goes_with_the_cut() -> None:
    reply = Reply(1, nobody, items={"speech": 8_000, "call": CALL}, heard=9_000)
    assert reply.trims() == [("call", 0)]


def test_a_reply_waits_until_what_was_no_turn_is_gone() -> None:
    """The server is slow to take a turn while it answers another, and done with that before it has heard of either."""
    both = Both()
    both.do("pause", 0)
    for step in ("send", *["take"] * 3, *["speak"] * 4, "pause", "goes on", "pause", "send"):
        both.do(step, 1)
    while both.server.events:
        both.receive()
    both.send()
    check(both)
    assert both.server.contexts["6"] == ["1001", "1005"]


def test_notes_stand_in_their_order() -> None:
    both = Both()
    both.ours.note(Message(Role.ASSISTANT, "Hello."))
    both.do("pause", 0)
    both.settle()
    both.ours.note(Message(Role.USER, "[pressed: 1]"))
    both.settle()
    assert [item.text for item in both.server.items] == ["Hello.", "1001", "", "[pressed: 1]"]


def test_a_late_order_is_no_error() -> None:
    both = Both()
    both.do("pause", 0)
    both.send()
    for order in ("cancel", "delete", "truncate", "create"):
        both.ours.receive(read(json.dumps({"type": "error", "error": {"event_id": f"{order}-77"}}).encode()))
    both.settle()


def complaint(event_id: str, code: str = "") -> Any:
    return read(json.dumps({"type": "error", "error": {"event_id": event_id, "code": code, "message": "no"}}).encode())


def test_an_error_about_a_reply_is_that_replys_own() -> None:
    both = Both()
    results: list[Result] = []
    both.ours.reply(1, results.append)
    both.ours.receive(complaint("create-1"))
    assert [type(result) for result in results] == [OpenAIError]
    both.do("pause", 0)


@pytest.mark.parametrize(("event_id", "code"), [("", ""), ("commit-1", ""), ("9", "session_expired")])
def test_an_error_while_somebody_waits_makes_the_connection_useless(event_id: str, code: str) -> None:
    """And nothing is lost by that: what has not begun is asked for again."""
    both = Both()
    both.do("pause", 0)
    both.send()
    with pytest.raises(OpenAIError):
        both.ours.receive(complaint(event_id, code))
    both.reconnect()
    check(both)
    assert both.server.contexts == {"2": ["1001"]}


def test_an_error_while_nobody_waits_is_told_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    Both().ours.receive(complaint(""))
    assert "goes on after an error" in caplog.text


def test_what_is_to_be_said_is_said_over_the_next_connection() -> None:
    both = Both()
    both.ours.speak(7, "Hello.", nobody)
    both.ours.lost()
    both.ours.connected()
    (order,) = both.ours.orders.out
    assert order["response"]["instructions"].endswith("\n\nHello.")
    assert order["response"]["conversation"] == "none"


def test_when_it_is_no_use_everybody_is_told() -> None:
    both = Both()
    results: list[Result] = []
    both.ours.hear(1, b"", results.append)
    both.ours.reply(2, results.append)
    both.ours.speak(3, "Hello.", results.append)
    error = OpenAIError(Failure.REFUSED, "no")
    both.ours.lost()
    both.ours.fail(error)
    assert results == [error] * 3
    assert not both.ours.busy
