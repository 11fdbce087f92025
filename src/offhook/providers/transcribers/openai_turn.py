"""One turn of a transcription session: what was said, and what has become of it."""

import asyncio

from offhook.errors import ProviderError
from offhook.providers.interfaces import Transcript
from offhook.providers.transcribers.openai_socket import Hints


class Turn:
    """A stretch of speech, how much of it this connection has been told, and what it says."""

    def __init__(self, number: int, hints: Hints) -> None:
        self.number = number
        self.hints = hints
        self.audio = bytearray()
        self.committed = False
        self.results: asyncio.Queue[Transcript | ProviderError | None] = asyncio.Queue()
        """None: it is over, so that from now on a result must not take too long."""
        self.restart()

    def restart(self) -> None:
        """Nothing of this is known over there."""
        self.sent = 0
        self.commit_sent = False
        self.text = ""
