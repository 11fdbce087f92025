"""What OpenAI's server is ordered to do with its conversation, in its words."""

import base64
import itertools
from typing import Any

from offhook.providers.speech import openai_events as events
from offhook.providers.speech.openai_entries import Entry, Heard, Reply
from offhook.timebase import RATE

_PIECE = RATE
"""Samples sent in one message, at most."""
_READ_ALOUD = "Read the following text aloud to the caller, word for word, and say nothing else:\n\n"


class Orders:
    """What has to be sent, in `out`; nothing, while nobody is there. An error names the order that it is about by its
    `event_id`: a word, a dash, and the number of what was asked for."""

    def __init__(self) -> None:
        self.out: list[dict[str, Any]] = []
        self.online = False
        self._notes = itertools.count(1)

    def commit(self, heard: Heard) -> None:
        """Take this as a turn of the caller."""
        heard.text = ""
        for start in range(0, len(heard.mulaw), _PIECE):
            piece = base64.b64encode(heard.mulaw[start : start + _PIECE]).decode()
            self._send("input_audio_buffer.append", "append", audio=piece)
        self._send("input_audio_buffer.commit", f"commit-{heard.number}")

    def create(self, reply: Reply) -> None:
        """Make this reply."""
        response: dict[str, Any] = {"metadata": {"request": str(reply.number)}}
        if reply.say:
            instructions = _READ_ALOUD + reply.say
            response |= {"conversation": "none", "input": [], "tools": [], "instructions": instructions}
        self._send("response.create", f"create-{reply.number}", response=response)

    def cancel(self, reply: Reply) -> None:
        """Stop. A reply that has not begun cannot be stopped: there is nothing to name it by."""
        if reply.response:
            self._send("response.cancel", f"cancel-{reply.number}", response_id=reply.response)

    def tell(self, entry: Entry, behind: str = "") -> None:
        """Say in text, behind an item ("": at the end), what the server has not heard or said itself."""
        if isinstance(entry, Reply):
            entry.told = True
        for item in events.items(entry.message):
            number = next(self._notes)
            name = f"offhook_{number}"
            entry.items[name] = 0
            place = {"previous_item_id": behind} if behind else {}
            self._send("conversation.item.create", f"note-{number}", item=item | {"id": name}, **place)
            behind = name if behind else ""

    def trim(self, reply: Reply) -> None:
        """Keep what the caller has heard of a reply, and nothing else."""
        for item, end in reply.trims():
            if end:
                place = {"item_id": item, "content_index": 0}
                self._send("conversation.item.truncate", f"truncate-{reply.number}", audio_end_ms=end, **place)
            else:
                self._send("conversation.item.delete", f"delete-{reply.number}", item_id=item)
                del reply.items[item]

    def delete(self, entry: Entry) -> None:
        """All of this has to go."""
        for item in entry.items:
            self._send("conversation.item.delete", "delete", item_id=item)
        entry.items.clear()

    def _send(self, kind: str, event_id: str, **fields: Any) -> None:
        if self.online:
            self.out.append({"type": kind, "event_id": event_id} | fields)
