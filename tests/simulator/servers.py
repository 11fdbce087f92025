"""Small servers for the simulator to talk to. They speak the wire and know nothing of Offhook's own call."""

import asyncio
from collections.abc import Callable

import msgspec

from offhook.carrier.twilio import messages

VOICE = b"\x20"
"""A loud sample."""


class Recorder:
    """Keeps what it is told; `at` are the loop's times."""

    def __init__(self, send: Callable[[str], None], close: Callable[[], None]) -> None:
        self.send = send
        self.close = close
        self.got: list[messages.Message] = []
        self.at: list[float] = []
        self.closed: list[str] = []
        self.stream_id = ""

    def on_text(self, text: str) -> None:
        message = messages.decode_message(text)
        self.got.append(message)
        self.at.append(asyncio.get_running_loop().time())
        if isinstance(message, messages.Start):
            self.stream_id = message.start.stream_sid
        self.react(message)

    def on_closed(self, reason: str) -> None:
        self.closed.append(reason)

    async def finish(self) -> None:
        """Nothing is left to do."""

    def react(self, message: messages.Message) -> None:
        """What else to do with a message."""

    def play(self, audio: bytes) -> None:
        self.send(messages.play(messages.media_prefix(self.stream_id), audio))

    def mark(self, name: str) -> None:
        self.send(messages.set_mark(self.stream_id, name))

    def clear(self) -> None:
        self.send(messages.clear(self.stream_id))

    def audio(self) -> bytes:
        return b"".join(message.media.payload for message in self.got if isinstance(message, messages.Media))

    def of(self, kind: type[msgspec.Struct]) -> list[messages.Message]:
        return [message for message in self.got if isinstance(message, kind)]


class Parrot(Recorder):
    """Plays everything back as it comes."""

    def react(self, message: messages.Message) -> None:
        if isinstance(message, messages.Media):
            self.play(message.media.payload)


class Agent(Recorder):
    """Greets for two seconds with a mark behind it; a loud frame over its speech makes it clear; `delay` after the
    last loud frame of the caller it speaks for three seconds; a "9" makes it hang up."""

    delay = 0.5

    def __init__(self, send: Callable[[str], None], close: Callable[[], None]) -> None:
        super().__init__(send, close)
        self.speaking = 0
        self.timer: asyncio.TimerHandle | None = None

    def react(self, message: messages.Message) -> None:
        if isinstance(message, messages.Start):
            self.speak(2)
        elif isinstance(message, messages.Media) and VOICE in message.media.payload:
            if self.speaking:
                self.speaking = 0
                self.clear()
            if self.timer is not None:
                self.timer.cancel()
            self.timer = asyncio.get_running_loop().call_later(self.delay, self.speak, 3)
        elif isinstance(message, messages.Mark) and message.mark.name == f"end {self.speaking}":
            self.speaking = 0
        elif isinstance(message, messages.Dtmf) and message.dtmf.digit == "9":
            self.close()

    def speak(self, seconds: float) -> None:
        self.speaking = len(self.got)
        for _ in range(round(seconds * 10)):
            self.play(VOICE * 800)
        self.mark(f"end {self.speaking}")

    def on_closed(self, reason: str) -> None:
        super().on_closed(reason)
        if self.timer is not None:
            self.timer.cancel()
