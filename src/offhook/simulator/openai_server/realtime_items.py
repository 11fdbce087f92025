"""What a realtime conversation of the local server consists of, and what may be done to it."""

from dataclasses import dataclass, field
from typing import Any

from offhook.simulator.openai_server.answers import ApiError

RATE = 8_000


@dataclass(slots=True)
class Item:
    """One item. Of a message with sound, `samples` says how many of them there are."""

    id: str
    type: str = "message"
    role: str = ""
    text: str = ""
    samples: int = 0
    call: dict[str, str] = field(default_factory=dict)

    @property
    def described(self) -> dict[str, Any]:
        """As events have it."""
        role = {"role": self.role} if self.role else {}
        return {"id": self.id, "type": self.type, "object": "realtime.item", "status": "completed"} | role | self.call

    @property
    def message(self) -> dict[str, Any]:
        """As a script reads it."""
        if self.type == "message":
            return {"role": self.role, "content": self.text}
        return {"type": self.type} | self.call


class Items(list[Item]):
    """A conversation's items in their order."""

    def find(self, item_id: object) -> Item:
        """Raises ApiError."""
        found = next((item for item in self if item.id == item_id), None)
        if found is None:
            raise ApiError(400, f"Item with item_id not found: {item_id}", "item_not_found", param="item_id")
        return found

    def create(self, wanted: dict[str, Any], behind: str | None, spare: str) -> Item:
        """An item from its description. Raises ApiError."""
        kind, key = wanted.get("type"), str(wanted.get("id") or spare)
        if len(key) > 32 or any(item.id == key for item in self):
            raise ApiError(400, f"Invalid item id: {key}", "invalid_value", param="item.id")
        match kind:
            case "message":
                item = Item(key, "message", wanted["role"], _text(wanted))
            case "function_call":
                item = Item(key, kind, call={name: wanted[name] for name in ("call_id", "name", "arguments")})
            case "function_call_output":
                if not any(wanted["call_id"] == each.call.get("call_id") for each in self):
                    raise ApiError(400, f"No function call with id {wanted['call_id']}", "invalid_value")
                item = Item(key, kind, text=wanted["output"], call={"call_id": wanted["call_id"]})
            case other:
                raise ApiError(400, f"Invalid value: '{other}'.", "invalid_value", param="item.type")
        place = len(self) if behind is None else 0 if behind == "root" else self.index(self.find(behind)) + 1
        self.insert(place, item)
        return item

    def truncate(self, item_id: object, content: object, end: int) -> Item:
        """Drop what lies behind `end` ms. Raises ApiError."""
        item = self.find(item_id)
        length = item.samples * 1_000 // RATE
        if item.role != "assistant" or not item.samples or content != 0:
            raise ApiError(400, "Only model output audio messages can be truncated", "unsupported_content_type")
        if end > length:
            raise ApiError(400, f"Audio content of {length}ms is already shorter than {end}ms", "invalid_value")
        item.samples, item.text = end * RATE // 1_000, ""
        return item


def _text(wanted: dict[str, Any]) -> str:
    kind = {"assistant": "output_text"}.get(wanted["role"], "input_text")
    for part in wanted["content"]:
        if part["type"] != kind:
            message = f"Invalid value: '{part['type']}'. Value must be '{kind}'."
            raise ApiError(400, message, "invalid_value", param="item.content[0].type")
    return " ".join(part["text"] for part in wanted["content"])
