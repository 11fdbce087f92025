"""Hearing: from the sound of all calls at once to evidence, one batch for all.

An `Ear` belongs to one track of one call and only collects bytes; `Hearing` evaluates one chunk of 32 ms of each of
many ears together, because a chunk among many costs a fifth of a chunk alone.

One ear alone costs about 140 us of CPU per chunk, 64 ears together 17 us each; an ear keeps 26 kB at most besides the
sound that waits.

A *gate* stands before the network: while an ear has heard nothing above `QUIET` for `PATIENCE` chunks, its chunks are
not shown to the network, whose probability is 0 then. The first louder chunk opens the gate.

Silence also makes the network deaf: what its memory has gathered in a second or more without speech outweighs a short
word. So whenever the gate opens, and after every `TIRED` chunks without a trace of speech where noise keeps it open,
the network starts anew and is shown the last half second before it hears on. Of 250 short interruptions, 0.5 to 10 s
after somebody last spoke, on a quiet line, it misses one instead of 17, of 200 that are 12 dB softer 7 instead of 33,
and of 250 in noise 2 instead of 12; it hears them 10 to 50 ms sooner, and is shown a tenth fewer chunks. It takes no
more noises for speech, but more of what is speech: babble, and our own echo (see `audio/echopath.py`).
"""

from collections import deque
from collections.abc import Collection, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from offhook.audio.events import CHUNK, Evidence
from offhook.audio.level import FLOOR
from offhook.audio.mulaw import DECODED, SILENCE
from offhook.runtime import echo, pitch, tone
from offhook.runtime.silero import CONTEXT, Silero
from offhook.timebase import RATE, SAMPLE_US, Instant

Floats = NDArray[np.float32]

QUIET = -60.0
"""dBov of a chunk that holds the line's own noise and no speech: 35 dB below the level at which people telephone."""
PATIENCE = 16
"""Chunks, half a second: the short pauses inside of what is being said are the network's to judge."""
TIRED = 94
"""Chunks, three seconds."""
_TRACE = 0.1
"""Probability below which a chunk holds no trace of speech."""
_SHOWN = 16
"""Chunks that the network is shown when it starts anew, half a second: with 8 it misses twice as many."""

LONGEST_GAP = RATE
"""Samples. Over a longer gap the line was gone: what was heard before says nothing about what comes, so hearing
starts anew."""
_REACH = echo.ROWS + echo.DELAYS - 1
"""Chunks: what we played longer ago is compared with nothing."""
_LEAK_US = 3
"""Per chunk, so 100 ppm: how far the carrier's clock may run slow against ours, which else looks like a growing
delay."""
_STEPS = 10.0 ** np.array((4, 1, 2, 1, 1, 2))
"""In one of each measure: the digits that it is worth, and that a tape keeps."""
_ROW = 4 * echo.BANDS
"""Bytes."""
_SILENT = SILENCE * CHUNK
_SAMPLES = (DECODED / 32_768).astype(np.float32)


class Memory:
    """What evaluating one chunk of an ear leaves for the next."""

    def __init__(self) -> None:
        self.state = Silero.start(1)[0]
        self.heard = Recent(echo.ROWS)
        self.played = Recent(_REACH)
        self.unplayed = _REACH
        """In how many chunks in a row we played nothing."""
        self.quiet = 0
        """How many chunks in a row were quiet."""
        self.unmoved = 0
        """In how many chunks in a row the network has found no trace of speech."""
        self.closed = False
        """The network was not shown the last chunk."""
        self.latest: deque[bytes] = deque(maxlen=_SHOWN)


class Recent:
    """The last chunks of one side's sound. The rows that describe them (see `echo.rows`) are computed when they are
    asked for: for the most part nobody speaks while we do, and nothing is compared."""

    def __init__(self, count: int) -> None:
        self._rows = bytes(count * _ROW)
        """Of what has been described, the oldest first."""
        self.fresh: deque[bytes] = deque(maxlen=count)
        """What has come since, in mu-law."""

    @staticmethod
    def rows(sides: Sequence["Recent"]) -> Floats:
        """The rows of all of these [n, count, 6], up to date."""
        fresh = [sound[-CHUNK:] for side in sides for sound in side.fresh]
        rows, end = echo.rows(_decoded(fresh)).tobytes(), 0
        for side in sides:
            begin, end = end, end + len(side.fresh) * _ROW
            side._rows = side._rows[end - begin :] + rows[begin:end]
            side.fresh.clear()
        joined = b"".join([side._rows for side in sides])
        return np.frombuffer(joined, np.float32).reshape(len(sides), -1, echo.BANDS)


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
        elif gap < 0:
            mulaw = mulaw[-gap:]
        self._sound += mulaw
        self._end += len(mulaw)
        arrival = now - self._end * SAMPLE_US
        if self._began is None or arrival < self._began:
            self._began = arrival
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
        count = 0
        for first, last in self._holes:
            count += max(0, min(end, last) - max(start, first))
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
        heard = _decoded([chunk.mulaw for chunk in chunks])
        played = _decoded([chunk.played or _SILENT for chunk in chunks])
        levels = _levels(heard[:, CONTEXT:])
        loud = levels >= QUIET
        measured = np.zeros((len(chunks), len(_STEPS)))
        measured[:, 0] = self._speech(chunks, heard, levels)
        measured[:, 1] = levels
        measured[:, 2] = _likeness(chunks, loud.tolist())
        if loud.any():
            voices = heard[loud, CONTEXT:]
            voices -= voices.mean(axis=1, keepdims=True)
            measured[loud, 3], measured[loud, 5] = pitch.fundamentals(voices), tone.pure(voices)
        measured[:, 4] = _levels(played)
        rows = (np.rint(measured * _STEPS) / _STEPS).tolist()
        return [
            Evidence(chunk.ear.track, chunk.position, chunk.missing, *row)
            for chunk, row in zip(chunks, rows, strict=True)
        ]

    def _speech(self, chunks: Sequence[Chunk], sound: Floats, levels: Floats) -> Floats:
        """Probability of speech [n]; 0 for what the network is not shown."""
        speech = np.zeros(len(chunks), np.float32)
        awake = [at for at, level in enumerate(levels.tolist()) if self._open(chunks[at], level)]
        if awake:
            memories = [chunks[at].memory for at in awake]
            speech[awake], states = self._silero(sound[awake], np.stack([memory.state for memory in memories]))
            for memory, state, probability in zip(memories, states, speech[awake].tolist(), strict=True):
                memory.state = state.copy()
                memory.unmoved = memory.unmoved + 1 if probability < _TRACE else 0
        return speech

    def _open(self, chunk: Chunk, level: float) -> bool:
        """Whether the network is shown this chunk; if it has to start anew, it sees the last ones first."""
        memory = chunk.memory
        memory.quiet = memory.quiet + 1 if level < QUIET else 0
        shown = memory.quiet <= PATIENCE
        if shown and (memory.closed or memory.unmoved >= TIRED):
            memory.state = self._silero.follow(_decoded(memory.latest), Silero.start(1)[0])
            memory.unmoved = 0
        memory.closed = not shown
        memory.latest.append(chunk.mulaw)
        return shown


def _decoded(pieces: Collection[bytes]) -> Floats:
    """Samples in -1..1, a row for each piece of mu-law, all of one length."""
    return _SAMPLES.take(np.frombuffer(b"".join(pieces), np.uint8)).reshape(len(pieces), -1)


def _levels(sound: Floats) -> Floats:
    """dBov [n] of chunks [n, 256]."""
    power = np.einsum("ij,ij->i", sound, sound) / sound.shape[1]
    levels: Floats = 10 * np.log10(np.maximum(power, np.float32(10 ** (FLOOR / 10))))
    return levels


def _likeness(chunks: Sequence[Chunk], loud: Sequence[bool]) -> Floats:
    """Likeness to our own voice [n]; 0 where we played nothing that could still come back, and for what is quiet: that
    is noise in every band, and taken for silence."""
    alive = []
    for at, chunk in enumerate(chunks):
        memory = chunk.memory
        memory.heard.fresh.append(chunk.mulaw if loud[at] else _SILENT)
        memory.played.fresh.append(chunk.played or _SILENT)
        memory.unplayed = 0 if chunk.played else memory.unplayed + 1
        if loud[at] and memory.unplayed < _REACH:
            alive.append(at)
    result = np.zeros(len(chunks), np.float32)
    if alive:
        heard = Recent.rows([chunks[at].memory.heard for at in alive])
        played = Recent.rows([chunks[at].memory.played for at in alive])
        result[alive] = echo.likeness(heard, played)
    return result
