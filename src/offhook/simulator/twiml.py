"""What a carrier does with TwiML: one verb after another, until one connects the call to a stream or ends it.

As Twilio does, it asks the `action` of a `<Connect>` when its stream has ended, and that of a `<Dial>` when the
dialling has; a verb without one is followed by the next, and a document that has come to its end ends the call.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urljoin
from xml.etree import ElementTree

from offhook.errors import CarrierError
from offhook.values import Value

Post = Callable[[str, Mapping[str, str]], Awaitable[str]]
"""Posts a form to an address and returns the answer. Raises `CarrierError`."""
Dialling = Callable[[str], Awaitable[str]]
"""Rings a number or SIP address for as long as it takes; returns the `DialCallStatus`: "completed", "busy", …"""

_CHILD = "CA" + "d" * 32
"""The call that a `<Dial>` makes."""


class Stream(Value, frozen=True):
    """Where to stream to, what to tell the server there, and whom to ask afterwards."""

    url: str
    parameters: dict[str, str] = {}
    action: str = ""


async def somebody_answers(_: str) -> str:
    """Whoever is dialled takes the call, and the two have talked."""
    return "completed"


class CarrierScript:
    """The TwiML of one call. `form` are the fields that each webhook is told; `tell` hears what is done, in words."""

    def __init__(self, post: Post, form: Mapping[str, str], dialling: Dialling) -> None:
        self.problems: list[str] = []
        """What a carrier would have complained of after the call had begun."""
        self.tell: Callable[[str], None] = lambda words: None
        self._post = post
        self._form = dict(form)
        self._dialling = dialling
        self._base = ""
        self._verbs: deque[ElementTree.Element] = deque()
        self._asked_next = ""
        """The action that is asked when what is under way has come to its end."""

    async def begin(self, url: str) -> Stream:
        """It rings: ask the voice webhook. Raises `CarrierError` where the call does not come to a stream."""
        await self._fetch(url, CallStatus="ringing")
        named = ", ".join(f"<{verb.tag}>" for verb in self._verbs) or "nothing"
        stream = await self._go_on()
        if stream is None:
            raise CarrierError(f"the webhook did not connect the call to a stream; it answered {named}")
        return stream

    async def stream_ended(self) -> Stream | None:
        """The server has closed the stream, or could not be reached there. The next stream, or None: the call is over.
        Never raises."""
        try:
            if self._asked_next:
                await self._fetch(self._asked_next)
            return await self._go_on()
        except CarrierError as error:
            self.problems.append(str(error))
            return None

    async def caller_gone(self) -> None:
        """The caller hung up while no stream was there; whoever was to be asked next is told."""
        if self._asked_next:
            try:
                await self._fetch(self._asked_next, CallStatus="completed", DialCallStatus="canceled")
            except CarrierError as error:
                self.problems.append(str(error))

    async def _fetch(self, url: str, **more: str) -> None:
        self._asked_next = ""
        self._enter(await self._post(url, {**self._form, "CallStatus": "in-progress", **more}), url)

    def _enter(self, document: str, base: str) -> None:
        try:
            self._verbs = deque(ElementTree.fromstring(document))
        except ElementTree.ParseError as error:
            raise CarrierError(f"the webhook's answer is not TwiML (12100): {error}") from None
        self._base = base

    async def _go_on(self) -> Stream | None:
        while self._verbs:
            verb = self._verbs.popleft()
            match verb.tag:
                case "Connect":
                    return self._connect(verb)
                case "Dial":
                    await self._dial(verb)
                case "Say":
                    self.tell(f"says {verb.text!r}")
                case "Redirect":
                    await self._fetch(urljoin(self._base, verb.text or ""))
                case "Hangup" | "Reject":
                    return None
        return None

    def _connect(self, verb: ElementTree.Element) -> Stream:
        stream = verb.find("Stream")
        if stream is None:
            raise CarrierError("there is no <Stream> in <Connect>")
        url = urljoin(self._base, stream.get("url", ""))
        if url.startswith("http"):
            url = "ws" + url.removeprefix("http")
        self._asked_next = self._action(verb)
        named = {item.get("name", ""): item.get("value", "") for item in stream.findall("Parameter")}
        return Stream(url, named, self._asked_next)

    async def _dial(self, verb: ElementTree.Element) -> None:
        action = self._asked_next = self._action(verb)
        party = verb if verb.text and verb.text.strip() else next(iter(verb), verb)
        to = (party.text or "").strip()
        self.tell(f"dials {to}")
        came = await self._dialling(to)
        self.tell(f"{to}: {came}")
        callback = party.get("statusCallback")
        if came == "completed" and callback and "answered" in party.get("statusCallbackEvent", ""):
            child = {"CallSid": _CHILD, "ParentCallSid": self._form["CallSid"], "CallStatus": "in-progress"}
            await self._post(urljoin(self._base, callback), {**self._form, **child})
        if action:
            await self._fetch(action, DialCallStatus=came)

    def _action(self, verb: ElementTree.Element) -> str:
        action = verb.get("action")
        return urljoin(self._base, action) if action else ""
