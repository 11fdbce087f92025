"""Hearing for virtual time: evidence comes at once, in the instant in which the audio does.

`Attentive` hears as a live call does; `Loudness` takes whatever is loud for speech, which costs next to nothing and
tells stories whose speech is known.
"""

from collections.abc import Callable

from offhook.audio import mulaw
from offhook.audio.events import CHUNK, Evidence
from offhook.audio.level import dbov
from offhook.runtime import hearing
from offhook.timebase import Instant

LOUD = -45.0
"""dBov from which a chunk is speech to `Loudness`; mu-law noise and room tone lie below."""


class Attentive:
    """The live call's own voice detector, one chunk at a time."""

    def __init__(self) -> None:
        self._batch = hearing.Hearing()

    def attach(self, track: str, deliver: Callable[[Evidence], object]) -> "AttentiveEar":
        return AttentiveEar(self._batch, self._batch.ear(track), deliver)


class AttentiveEar:
    """One track, heard at once."""

    def __init__(self, batch: hearing.Hearing, ear: hearing.Ear, deliver: Callable[[Evidence], object]) -> None:
        self._batch = batch
        self._ear = ear
        self._deliver = deliver
        self.played = ear.played
        self.cleared = ear.cleared

    def listen(self, now: Instant, position: int, missing: int, audio: bytes) -> None:
        if self._ear.listen(now, position, missing, audio):
            for evidence in self._batch.drain(self._ear):
                self._deliver(evidence)

    def detach(self) -> None:
        """Nothing outlives the ear."""


class Loudness:
    """Takes what is loud for speech."""

    def attach(self, track: str, deliver: Callable[[Evidence], object]) -> "LoudnessEar":
        return LoudnessEar(track, deliver)


class LoudnessEar:
    """One track, by level alone."""

    def __init__(self, track: str, deliver: Callable[[Evidence], object]) -> None:
        self._track = track
        self._deliver = deliver
        self._position = 0
        self._missing = 0
        self._audio = bytearray()

    def listen(self, now: Instant, position: int, missing: int, audio: bytes) -> None:
        if not self._audio:
            self._position = position - missing
        self._audio += mulaw.SILENCE * missing + audio
        self._missing += missing
        while len(self._audio) >= CHUNK:
            level = dbov(mulaw.decode(bytes(self._audio[:CHUNK])))
            lost, self._missing = min(self._missing, CHUNK), max(0, self._missing - CHUNK)
            self._deliver(Evidence(self._track, self._position, lost, float(level > LOUD), float(level), 0.0, 0.0))
            del self._audio[:CHUNK]
            self._position += CHUNK

    def played(self, now: Instant, audio: bytes) -> None:
        """Our own voice does not come back on a simulated line unless the line says so."""

    def cleared(self, now: Instant) -> None:
        """See `played`."""

    def detach(self) -> None:
        """Nothing outlives the ear."""
