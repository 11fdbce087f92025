"""A conversation with OpenAI's realtime models, without a socket: what has to be sent, and what comes of what is said.

The server holds a list of items. We keep our own, and bring theirs in line with it: a turn that was not over is
deleted, a reply that was cut is truncated to what the caller heard, and a new connection is told everything so far.
Only one reply may be written to the conversation at a time; whatever has to go is gone before the next is asked for.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from offhook.audio import mulaw as sound
from offhook.conversation.messages import Message, Role
from offhook.errors import Failure, ProviderError
from offhook.providers.interfaces import Usage
from offhook.providers.openai_client import OpenAIError
from offhook.providers.speech.openai_entries import CALL, Entry, Heard, Note, Put, Reply, State
from offhook.providers.speech.openai_events import Event, Response, cost, spoken
from offhook.providers.speech.openai_orders import Orders
from offhook.timebase import RATE

logger = logging.getLogger("offhook.providers")

_SHORTEST = RATE // 8
"""Samples of a turn, at least: a commit of less than 100 ms is an error."""
_WORDS = "conversation.item.input_audio_transcription."
_HARMLESS = ("cancel", "delete", "truncate", "create")
"""Orders that may come too late: the server's error about one changes nothing."""
_OUT_OF_STEP = ("session_expired", "conversation_already_has_active_response")


class RealtimeConversation:
    """`said` makes an exception of an error of the server's. What has to be sent stands in `orders.out`."""

    def __init__(self, name: str, said: Callable[[Any], ProviderError]) -> None:
        self.orders = Orders()
        self.fruitful = False
        """Something came of this connection."""
        self._name, self._said = name, said
        self._entries: list[Entry] = []
        self._committing: deque[Heard] = deque()
        self._hearing: dict[str, Heard] = {}
        """Turns whose words are awaited, by their items."""
        self._waiting: deque[Reply] = deque()
        self._asked: list[Reply] = []
        self._active: Reply | None = None
        """The reply that is being written to the conversation."""
        self._unclaimed = Usage(0, 0)
        """What replies cost that nobody wanted any more."""

    @property
    def busy(self) -> bool:
        """Somebody waits for something."""
        return bool(self._waiting or self._asked) or any(isinstance(e, Heard) and not e.known for e in self._entries)

    # what we want

    def hear(self, number: int, mulaw: bytes, put: Put) -> None:
        """The caller says this."""
        heard = Heard(number, mulaw + sound.SILENCE * (_SHORTEST - len(mulaw)), put)
        self._entries.append(heard)
        self._commit(heard)

    def give_up(self, number: int) -> None:
        """Nobody waits for the words of a turn any more."""
        heard = self._find(number)
        if isinstance(heard, Heard):
            heard.known = True

    def reply(self, number: int, put: Put) -> None:
        """Answer, when nothing else is being answered."""
        reply = Reply(number, put)
        self._entries.append(reply)
        self._waiting.append(reply)
        self._advance()

    def speak(self, number: int, text: str, put: Put) -> None:
        """Say this, besides all that."""
        self._ask(Reply(number, put, say=text))

    def cancel(self, number: int) -> None:
        """Nobody wants more of a reply."""
        for reply in [*self._asked, *self._waiting]:
            if reply.number == number:
                self._cancel(reply)

    def cut(self, number: int, heard: int, words: str) -> None:
        """The caller heard so many samples of a reply, these words."""
        reply = self._find(number)
        if isinstance(reply, Reply):
            reply.heard, reply.text = heard, words
            self._cancel(reply)
            if reply.state is State.DONE:
                self._settle(reply)

    def forget(self, number: int) -> None:
        """That was no part of the conversation."""
        entry = self._find(number)
        if entry is None:
            return
        self._entries.remove(entry)
        if isinstance(entry, Heard):
            self.orders.delete(entry)
            return
        entry.forgotten = True
        self._cancel(entry)
        if entry.state is State.DONE:
            self._settle(entry)

    def note(self, message: Message) -> None:
        """Something else was said. What we said stands before what the caller said over it."""
        note, place = Note(message), len(self._entries)
        while message.role is Role.ASSISTANT and place and isinstance(self._entries[place - 1], Heard):
            place -= 1
        self.orders.tell(note, self._behind(place) if place < len(self._entries) else "")
        self._entries.insert(place, note)

    # the connection

    def connected(self) -> None:
        """Somebody listens who knows nothing: tell everything so far."""
        self.orders.online, self.fruitful = True, False
        for entry in self._entries:
            entry.items.clear()
            if isinstance(entry, Heard) and entry.mulaw:
                self._commit(entry)
            elif not isinstance(entry, Reply) or entry.state is State.DONE:
                self.orders.tell(entry)
        for reply in self._asked:
            self.orders.create(reply)
        self._advance()

    def lost(self) -> None:
        """Nobody listens any more. What was begun cannot be ended; the rest is asked for again."""
        self.orders.online = False
        self.orders.out.clear()
        self._committing.clear()
        self._hearing.clear()
        self._active = None
        broken = OpenAIError(Failure.BROKEN, f"{self._name}: the connection was lost in the midst of a reply")
        asked, self._asked = self._asked, []
        for reply in asked:
            reply.response = ""
            if reply.begun or not reply.wanted:
                reply.end(broken)
            elif reply.say:
                self._asked.append(reply)
            else:
                reply.state = State.WAITING
                self._waiting.appendleft(reply)

    def fail(self, error: ProviderError) -> None:
        """It is no use: nobody will listen."""
        for reply in [*self._asked, *self._waiting]:
            reply.end(error)
        self._asked.clear()
        self._waiting.clear()
        for entry in self._entries:
            if isinstance(entry, Heard) and not entry.known:
                entry.known = True
                entry.put(error)

    # what the server says

    def receive(self, event: Event) -> None:
        """Take one event. Raises ProviderError where the connection is of no use any more."""
        match event.type:
            case "response.output_audio.delta" if reply := self._replying(event.response_id):
                self._sound(reply, event)
            case "response.output_audio_transcript.delta" if reply := self._replying(event.response_id):
                reply.write(event.delta)
            case "response.created" if event.response:
                self._created(event.response)
            case "response.output_item.added" if event.item and (reply := self._replying(event.response_id)):
                reply.items[event.item.id] = CALL if event.item.type == "function_call" else 0
            case "response.done" if event.response and (reply := self._replying(event.response.id)):
                self._done(reply, event.response)
            case "input_audio_buffer.committed" if self._committing:
                self._committed(self._committing.popleft(), event.item_id)
            case "error":
                self._error(event.error)
            case _ if event.type.startswith(_WORDS) and (heard := self._hearing.get(event.item_id)):
                self._words(heard, event)

    def _sound(self, reply: Reply, event: Event) -> None:
        mulaw = spoken(event, self._name)
        reply.items[event.item_id] = max(0, reply.items.get(event.item_id, 0)) + len(mulaw)
        self.fruitful = True
        if mulaw:
            reply.give(mulaw)

    def _created(self, response: Response) -> None:
        """Ours by its number; a server that does not repeat that answers in order."""
        named = (response.metadata or {}).get("request", "")
        unnamed = [each for each in self._asked if not each.response]
        reply = next((each for each in unnamed if not named or str(each.number) == named), None)
        if reply is not None:
            reply.response = response.id
            if not reply.wanted:
                self.orders.cancel(reply)

    def _done(self, reply: Reply, response: Response) -> None:
        self._asked.remove(reply)
        spent, before = cost(response), self._unclaimed
        spent = Usage(spent.input + before.input, spent.output + before.output, spent.cached + before.cached)
        self._unclaimed = Usage(0, 0) if reply.wanted else spent
        failed = response.status == "failed"
        error = self._said(response.status_details and response.status_details.error) if failed else None
        reply.complete(self._name, response, spent, error)
        if reply is self._active:
            self._active = None
        self._settle(reply)
        self._advance()

    def _committed(self, heard: Heard, item: str) -> None:
        heard.items[item] = len(heard.mulaw)
        if heard in self._entries:
            self._hearing[item] = heard
        else:
            self.orders.delete(heard)
            self._advance()

    def _words(self, heard: Heard, event: Event) -> None:
        kind = event.type.removeprefix(_WORDS)
        if kind == "delta":
            heard.write(event.delta)
        elif kind in ("completed", "failed"):
            self.fruitful = True
            del self._hearing[event.item_id]
            heard.complete(event.transcript, understood=kind == "completed")

    def _error(self, error: Any) -> None:
        details = error if isinstance(error, dict) else {}
        order, _, number = str(details.get("event_id") or "").partition("-")
        reply = next((each for each in self._asked if order == "create" and str(each.number) == number), None)
        failure = self._said(error)
        if details.get("code") in _OUT_OF_STEP:
            raise OpenAIError(Failure.BROKEN, str(failure))
        if reply is not None:
            self._asked.remove(reply)
            self._active = None if reply is self._active else self._active
            reply.end(failure)
            self._advance()
        elif order in _HARMLESS:
            logger.debug("An order came too late: %s", failure)
        elif order == "note" or not self.busy:
            logger.warning("A conversation goes on after an error: %s", failure)
        else:
            raise failure

    # what follows

    def _advance(self) -> None:
        """Ask for the next reply, when all that must not be answered is gone."""
        going = any(heard not in self._entries for heard in self._committing)
        if self.orders.online and self._waiting and self._active is None and not going:
            self._active = self._waiting.popleft()
            self._ask(self._active)

    def _ask(self, reply: Reply) -> None:
        reply.state = State.ASKED
        self._asked.append(reply)
        self.orders.create(reply)

    def _commit(self, heard: Heard) -> None:
        if self.orders.online:
            self._committing.append(heard)
            self.orders.commit(heard)

    def _cancel(self, reply: Reply) -> None:
        if not reply.wanted:
            return
        reply.wanted = False
        if reply.state is State.WAITING:
            self._waiting.remove(reply)
            reply.state = State.DONE
        elif reply.state is State.ASKED:
            self.orders.cancel(reply)

    def _settle(self, reply: Reply) -> None:
        """A reply that is over is brought in line with what the caller heard of it."""
        if reply.forgotten:
            self.orders.delete(reply)
        elif reply.heard is not None and reply.told:
            self.orders.delete(reply)
            self.orders.tell(reply, self._behind(self._entries.index(reply)))
        elif reply.heard is not None:
            self.orders.trim(reply)

    def _behind(self, place: int) -> str:
        """The item behind which an entry at this place stands."""
        before = [item for entry in self._entries[:place] for item in entry.items]
        return before[-1] if before else "root"

    def _find(self, number: int) -> Heard | Reply | None:
        return next((each for each in self._entries if not isinstance(each, Note) and each.number == number), None)

    def _replying(self, response: str) -> Reply | None:
        return next((reply for reply in self._asked if response and reply.response == response), None)
