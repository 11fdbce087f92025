"""Hearing: from the sound of all calls at once to evidence, one batch for all.

An `Ear` belongs to one track of one call and only collects bytes; `Hearing` evaluates one chunk of 32 ms of each of
many ears together, because a chunk among many costs a fifth of a chunk alone. The two halves may work on different
threads: `take` (with `Ear.listen`, `played` and `cleared`) on the one that receives, `evaluate` on the other, which
alone touches an ear's memory.

One ear alone costs about 200 us of CPU per chunk, 64 ears together 20 us each; an ear keeps 8 kB besides the sound
that waits.

A *gate* stands before the network: while an ear has heard nothing above `QUIET` for `PATIENCE` chunks, its chunks are
not shown to the network, whose probability is 0 then. The first louder chunk opens the gate; the network is shown the
last few that it has missed, then that one. This costs no onset: the network only says what the level has not said
where it is wrong. It saves some, because ten seconds of silence make the network slow: of 203 recordings, told after
ten seconds of line noise, it misses two and hears 43 later than after two seconds; behind the gate none and 4.
"""

from collections import deque
from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from offhook.audio.events import CHUNK, Evidence
from offhook.audio.level import FLOOR
from offhook.audio.mulaw import DECODED, SILENCE
from offhook.runtime import echo
from offhook.runtime.silero import CONTEXT, Silero
from offhook.timebase import RATE, SAMPLE_US, Instant

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

QUIET = -60.0
"""dBov of a chunk that holds the line's own noise and no speech: 35 dB below the level at which people telephone."""
PATIENCE = 62
"""Chunks, two seconds: the pauses inside of what is being said are the network's to judge."""
_MISSED = 8
"""Chunks that the network is shown when the gate opens."""

LONGEST_GAP = RATE
"""Samples. Over a longer gap the line was gone: what was heard before says nothing about what comes, so hearing
starts anew."""
_LEAK_US = 3
"""Per chunk, so 100 ppm: how far the carrier's clock may run slow against ours, which else looks like a growing
delay."""
_SAMPLES = (DECODED / 32_768).astype(np.float32)

PITCH_LOWEST, PITCH_HIGHEST = 60, 400
_LONGEST_LAG, _SHORTEST_LAG = RATE // PITCH_LOWEST, RATE // PITCH_HIGHEST
_VOICED = 0.6
"""Correlation from which a chunk counts as periodic: noise of 256 samples stays below 0.5."""
_NEARLY = 0.85
"""A peak of so much of the best one's height at a shorter lag is the period; the best may be a multiple of it."""


class Memory:
    """What evaluating one chunk of an ear leaves for the next."""

    def __init__(self) -> None:
        self.state = Silero.start(1)[0]
        self.heard = np.zeros((echo.ROWS, echo.BANDS), np.float32)
        self.played = np.zeros((echo.ROWS + echo.DELAYS - 1, echo.BANDS), np.float32)
        self.silent_rows = len(self.played)
        """How many rows ago we last played something."""
        self.quiet = 0
        """How many chunks in a row were quiet."""
        self.missed: deque[bytes] = deque(maxlen=_MISSED)
        """The last chunks that the network was not shown."""


class Chunk(msgspec.Struct, frozen=True):
    """One chunk, ready to be evaluated. `mulaw` has the 32 bytes before it at its head; `played` is what we played in
    its time (b"" for nothing)."""

    ear: "Ear"
    memory: Memory
    position: int
    missing: int
    mulaw: bytes
    played: bytes


class Ear:
    """One track of one call: cuts what comes into chunks by position, and knows what we played meanwhile."""

    def __init__(self, track: str) -> None:
        self.track = track
        self._ours = echo.Played()
        self._restart(0)

    def _restart(self, position: int) -> None:
        """Forget everything that was heard; `position` is where listening goes on."""
        self._sound = bytearray(SILENCE * CONTEXT)
        self._end = position
        self._holes: deque[tuple[int, int]] = deque()
        self._memory = Memory()
        self._began: int | None = None
        """The instant, in microseconds, at which sample 0 would have come by the fastest way; None before any
        came."""

    def listen(self, now: Instant, position: int, missing: int, mulaw: bytes) -> bool:
        """Take what came at `now`; True when a chunk is ready. `position` is where it belongs: a gap before it
        (`missing` samples, unless this is where listening begins) is silence, and what was heard already is passed
        over."""
        gap = position - self._end
        if self._began is None or gap > LONGEST_GAP:
            self._restart(position)
        elif gap > 0:
            self._holes.append((self._end, position))
            self._sound += SILENCE * gap
            self._end = position
        mulaw = mulaw[max(0, self._end - position) :]
        self._sound += mulaw
        self._end += len(mulaw)
        arrival = now - self._end * SAMPLE_US
        self._began = arrival if self._began is None else min(self._began, arrival)
        return self.ready

    def played(self, now: Instant, mulaw: bytes) -> None:
        """We handed this to the carrier at `now`; it plays after what was handed over before."""
        self._ours.hand(now, mulaw)

    def cleared(self, now: Instant) -> None:
        """We told the carrier at `now` to drop what it has not played."""
        self._ours.clear(now)

    @property
    def ready(self) -> bool:
        """Whether a whole chunk waits."""
        return len(self._sound) >= CONTEXT + CHUNK

    def take(self) -> Chunk:
        """The oldest chunk that is ready."""
        assert self.ready
        assert self._began is not None
        position = self._end - len(self._sound) + CONTEXT
        end = position + CHUNK
        sound = bytes(self._sound[: CONTEXT + CHUNK])
        del self._sound[:CHUNK]
        self._began += _LEAK_US
        played = self._ours.take(self._began // SAMPLE_US + end)
        return Chunk(self, self._memory, position, self._missing(position, end), sound, played)

    def _missing(self, start: int, end: int) -> int:
        """How many of these samples never came; holes that end here are forgotten."""
        count = sum(max(0, min(end, last) - max(start, first)) for first, last in self._holes)
        while self._holes and self._holes[0][1] <= end:
            self._holes.popleft()
        return count


class Hearing:
    """The network and the measures, for any number of ears."""

    def __init__(self) -> None:
        self._silero = Silero()

    def ear(self, track: str) -> Ear:
        """A new ear that has heard nothing."""
        return Ear(track)

    def batch(self, ears: Sequence[Ear]) -> list[tuple[Ear, Evidence]]:
        """Evaluate the oldest ready chunk of each of these ears."""
        chunks = self.take(ears)
        return [(chunk.ear, evidence) for chunk, evidence in zip(chunks, self.evaluate(chunks), strict=True)]

    def drain(self, ear: Ear) -> list[Evidence]:
        """Everything that is ready on one ear, now: what virtual time needs."""
        evidence = []
        while ear.ready:
            evidence += self.evaluate([ear.take()])
        return evidence

    @staticmethod
    def take(ears: Sequence[Ear]) -> list[Chunk]:
        """The oldest chunk of each ear that has one."""
        return [ear.take() for ear in ears if ear.ready]

    def evaluate(self, chunks: Sequence[Chunk]) -> list[Evidence]:
        """Evidence for each chunk. At most one chunk of an ear at a time, an ear's chunks in order."""
        if not chunks:
            return []
        sound = _decoded([chunk.mulaw for chunk in chunks])
        new = sound[:, CONTEXT:]
        levels = _levels(new)
        speech = np.zeros(len(chunks), np.float32)
        awake = [at for at, chunk in enumerate(chunks) if self._open(chunk, levels[at])]
        if awake:
            memories = [chunks[at].memory for at in awake]
            speech[awake], states = self._silero(sound[awake], np.stack([memory.state for memory in memories]))
            for memory, state in zip(memories, states, strict=True):
                memory.state = state.copy()
        loud = levels >= QUIET
        columns = (speech, levels, _likeness(chunks, new, loud), _pitches(new, loud))
        return [
            Evidence(
                chunk.ear.track, chunk.position, chunk.missing, round(speech, 4), round(level, 1), round(like, 2), pitch
            )
            for chunk, speech, level, like, pitch in zip(chunks, *(column.tolist() for column in columns), strict=True)
        ]

    def _open(self, chunk: Chunk, level: float) -> bool:
        """Whether the network is shown this chunk; if it was not shown the last ones, it sees these first."""
        memory = chunk.memory
        if level < QUIET:
            memory.quiet += 1
            if memory.quiet > PATIENCE:
                memory.missed.append(chunk.mulaw)
                return False
            return True
        memory.quiet = 0
        if memory.missed:
            state = memory.state[None]
            for row in _decoded(memory.missed):
                _, state = self._silero(row[None], state)
            memory.state = state[0]
            memory.missed.clear()
        return True


def _decoded(pieces: Collection[bytes]) -> Floats:
    """Samples in -1..1, a row for each piece of mu-law, all of one length."""
    return _SAMPLES.take(np.frombuffer(b"".join(pieces), np.uint8)).reshape(len(pieces), -1)


def _levels(sound: Floats) -> Floats:
    """dBov [n] of chunks [n, 256]."""
    power = np.einsum("ij,ij->i", sound, sound) / sound.shape[1]
    levels: Floats = 10 * np.log10(np.maximum(power, np.float32(10 ** (FLOOR / 10))))
    return levels


def _likeness(chunks: Sequence[Chunk], sound: Floats, loud: Flags) -> Floats:
    """Likeness to our own voice [n]; 0 where we played nothing that could still come back. What is quiet is noise in
    every band, whose row is 0."""
    ours = [chunk for chunk in chunks if chunk.played]
    described = iter(_rows(sound[loud], ours))
    heard_rows = [next(described) if is_loud else np.float32(0) for is_loud in loud]
    played = described
    for chunk, row in zip(chunks, heard_rows, strict=True):
        memory = chunk.memory
        memory.silent_rows = 0 if chunk.played else memory.silent_rows + 1
        _push(memory.heard, row)
        _push(memory.played, next(played) if chunk.played else np.float32(0))
    result = np.zeros(len(chunks), np.float32)
    alive = [at for at, chunk in enumerate(chunks) if chunk.memory.silent_rows < len(chunk.memory.played)]
    if alive:
        memories = [chunks[at].memory for at in alive]
        heard, before = (np.stack([getattr(memory, name) for memory in memories]) for name in ("heard", "played"))
        result[alive] = echo.likeness(heard, before)
    return result


def _rows(heard: Floats, ours: Sequence[Chunk]) -> Floats:
    """A row for each chunk heard, then one for each in whose time we played something."""
    sound = np.concatenate((heard, _decoded([chunk.played for chunk in ours]))) if ours else heard
    return echo.rows(sound) if len(sound) else sound


def _push(rows: Floats, row: Floats | np.float32) -> None:
    rows[:-1] = rows[1:]
    rows[-1] = row


def _pitches(sound: Floats, loud: Flags) -> NDArray[np.float64]:
    """Fundamental in Hz [n] of those of the chunks [n, 256] that are loud, 0 for the others."""
    found = np.zeros(len(sound))
    if loud.any():
        found[loud] = _pitch(sound[loud])
    return found


def _pitch(sound: Floats) -> NDArray[np.float64]:
    """Fundamental in Hz [n] of chunks [n, 256], 0 where there is none: the normalised cross-correlation of RAPT
    (Talkin 1995), at whole lags."""
    size, lags = sound.shape[1], np.arange(_SHORTEST_LAG - 1, _LONGEST_LAG + 2)
    sound = sound - sound.mean(axis=1, keepdims=True)
    spectrum = np.fft.rfft(sound, 2 * size, axis=1)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, axis=1)[:, lags]
    energy = np.cumsum(sound**2, axis=1)
    head, tail = energy[:, size - 1 - lags], energy[:, -1:] - energy[:, lags - 1]
    alike = products / np.sqrt(head * tail + 1e-6)
    inner = alike[:, 1:-1]
    peaks = (inner > alike[:, :-2]) & (inner >= alike[:, 2:])
    best = np.where(peaks, inner, 0).max(axis=1)
    first = np.argmax(peaks & (inner >= _NEARLY * best[:, None]), axis=1)
    return np.where(best >= _VOICED, np.round(RATE / (first + _SHORTEST_LAG), 1), 0)
