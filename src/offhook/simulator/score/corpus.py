"""A folder of recordings with its manifest: what there is of each kind, at the telephone's rate and level, labelled.

`manifest.tsv` has the columns `file` and `transcript` (and `speaker_kind`); the folder of a file is its kind. Any
CSV file with the columns `file,pause_start,pause_end,hold|eot` (seconds) labels pauses: a `hold` lies inside a turn,
an `eot` behind one.
"""

import csv
import itertools
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw, resample, wav
from offhook.audio.level import active_speech
from offhook.errors import ConfigurationError
from offhook.simulator.acoustics import SPEECH_LEVEL
from offhook.simulator.ledger import Span
from offhook.simulator.score import labels
from offhook.simulator.score.labels import Word
from offhook.timebase import RATE
from offhook.values import Value

Pcm = NDArray[np.int16]

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_INSIDE = re.compile(r"pauses inside turn \(s\): (.+)")
_COMPOSED = re.compile(r"last word ends ([\d.]+)s, word starts \[([^\]]+)\]")
_NOT_ONE_SPEAKER = ("OVERLAPS", "mixed in one track", "overlap")
HOLD = RATE // 5
"""Samples of silence inside a turn from which it is a pause that somebody could take for its end: 200 ms."""


class Recording(Value, frozen=True):
    """One line of the manifest. `turns` are what the CSV says: a turn and its pauses."""

    file: str
    transcript: str
    speaker: str = ""
    turns: tuple[tuple[Span, tuple[Span, ...]], ...] = ()

    @property
    def kind(self) -> str:
        return self.file.split("/")[0]

    @property
    def text(self) -> str:
        """Its words; "" where they are not known."""
        said = self.transcript
        return "" if said.startswith(("[", "pauses ", "gaps ")) else re.sub(r"[^\w' ]", " ", said.lower()).strip()


class Speech(Value, frozen=True):
    """Something that can be said: mu-law, where it begins and ends, its words, and the pauses inside it."""

    label: str
    mulaw: bytes
    start: int
    end: int
    words: tuple[Word, ...] = ()
    holds: tuple[Span, ...] = ()
    natural: bool = True
    written: bool = True
    """Somebody wrote its words down; else they only stand for words."""


class Corpus:
    """All recordings of a folder. Raises `ConfigurationError` for one without a manifest, and for a manifest that
    names no files or one that is not there."""

    def __init__(self, folder: Path) -> None:
        manifest = folder / "manifest.tsv"
        if not manifest.is_file():
            raise ConfigurationError(f"{folder} has no manifest.tsv: give a folder of recordings that has one.")
        turns = _labelled(folder)
        self.folder = folder
        self.kinds: dict[str, list[Recording]] = defaultdict(list)
        with manifest.open(encoding="utf-8", newline="") as lines:
            rows = csv.DictReader(lines, delimiter="\t")
            if "file" not in (rows.fieldnames or ()):
                raise ConfigurationError(
                    f'{manifest} has no column "file": its first line names the columns, with tabs between them.'
                )
            for row in rows:
                file = self._there(row["file"] or "", manifest.name)
                recording = Recording(
                    file, row.get("transcript") or "", row.get("speaker_kind") or "", turns.pop(file, ())
                )
                self.kinds[recording.kind].append(recording)
        for file, labelled in turns.items():
            self.kinds["pause"].append(Recording(self._there(file, "a CSV file"), "", "", labelled))

    def _there(self, file: str, listing: str) -> str:
        if not (self.folder / file).is_file():
            raise ConfigurationError(f'{listing} in {self.folder} lists "{file}", and there is no such file.')
        return file

    def of(self, *kinds: str) -> list[Recording]:
        """Everything of these kinds. Raises `ConfigurationError` where there is nothing."""
        found = [recording for kind in kinds for recording in self.kinds.get(kind, ())]
        if not found:
            raise ConfigurationError(f"{self.folder} has no recordings of the kind {' or '.join(kinds)}.")
        return found

    def pcm(self, recording: Recording) -> Pcm:
        """Its samples at 8 kHz."""
        return _samples(self.folder / recording.file)

    def speech(self, recording: Recording, dbov: float | None = SPEECH_LEVEL) -> Speech:
        """All of it, with a little silence around it, at a level."""
        pcm = levelled(self.pcm(recording), dbov)
        spans = labels.voiced(pcm) or [Span(0, len(pcm))]
        begin, end = max(0, spans[0].start - 800), min(len(pcm), spans[-1].end + 800)
        spans = [Span(span.start - begin, span.end - begin) for span in spans]
        holds = tuple(Span(a.end, b.start) for a, b in itertools.pairwise(spans) if b.start - a.end >= HOLD)
        words = labels.words(recording.text, spans, labels.levels(pcm[begin:end]))
        audio = mulaw.encode(pcm[begin:end])
        return Speech(recording.file, audio, spans[0].start, spans[-1].end, words, holds)

    def turns(self) -> list[Speech]:
        """Whole turns of one speaker with pauses inside, as they were spoken."""
        found = [turn for recording in self.kinds.get("pause", ()) for turn in self._labelled_turns(recording)]
        read = [r for r in [*self.kinds.get("utt", ()), *self.kinds.get("pause", ())] if r.text and not r.turns]
        for recording in read:
            if _COMPOSED.search(recording.speaker) or any(mark in recording.speaker for mark in _NOT_ONE_SPEAKER):
                continue
            speech = self.speech(recording)
            if speech.holds:
                found.append(speech)
        return found

    def _labelled_turns(self, recording: Recording) -> list[Speech]:
        turns = list(recording.turns)
        inside = _INSIDE.match(recording.transcript)
        if inside and not turns and not any(mark in recording.speaker for mark in _NOT_ONE_SPEAKER):
            pcm = self.pcm(recording)
            spans = labels.voiced(pcm)
            turns = [(Span(spans[0].start, spans[-1].end), _seconds(inside[1]))]
        return [self._cut(recording, turn, holds) for turn, holds in turns]

    def _cut(self, recording: Recording, turn: Span, holds: tuple[Span, ...]) -> Speech:
        pcm = levelled(self.pcm(recording)[max(0, turn.start - 800) : turn.end], SPEECH_LEVEL)
        shift = max(0, turn.start - 800)
        own = tuple(Span(hold.start - shift, hold.end - shift) for hold in holds)
        edges = [turn.start - shift, *(edge for hold in own for edge in hold), len(pcm)]
        spans = [Span(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
        written, level = bool(recording.text), labels.levels(pcm)
        words = labels.words(recording.text, spans, level) if written else _stand_ins(spans, level)
        return Speech(recording.file, mulaw.encode(pcm), spans[0].start, len(pcm), words, own, written=written)

    def sentences(self) -> list[Recording]:
        """Read or spoken sentences of four words or more."""
        return [recording for recording in self.kinds.get("utt", ()) if len(recording.text.split()) >= 4]

    def one_word(self) -> dict[str, dict[str, list[Recording]]]:
        """Speaker -> word -> recordings of that word alone. Who says all digits comes first."""
        found: dict[str, dict[str, list[Recording]]] = defaultdict(lambda: defaultdict(list))
        for kind in ("digits", "answer", "interruption"):
            for recording in self.kinds.get(kind, ()):
                if len(recording.text.split()) == 1:
                    speaker = recording.speaker if kind == "digits" else "several"
                    found[speaker][recording.text].append(recording)
        return dict(sorted(found.items(), key=lambda item: (not set(DIGITS) <= set(item[1]), item[0])))

    def room_tone(self, length: int, random: Random) -> Pcm:
        """Somebody not speaking."""
        rooms = [recording for recording in self.kinds.get("noise", ()) if "room" in recording.transcript]
        if not rooms:
            return np.zeros(length, np.int16)
        pcm = levelled(self.pcm(random.choice(rooms)), None)
        return np.asarray(np.resize(pcm, length) // 4, np.int16)


def _stand_ins(spans: Sequence[Span], level: NDArray[np.float64]) -> tuple[Word, ...]:
    """What stands for words that nobody wrote down: one in about a third of a second, and at least one between any two
    pauses, for nobody says nothing there."""
    things = (" ".join(["thing"] * max(1, (it.end - it.start) // 2_800)) for it in spans)
    return tuple(word for text, it in zip(things, spans, strict=True) for word in labels.words(text, [it], level))


def levelled(pcm: Pcm, dbov: float | None) -> Pcm:
    """Samples whose active level is `dbov`; as they are for None."""
    if dbov is None:
        return pcm
    louder: Pcm = np.clip(np.rint(pcm * 10 ** ((dbov - active_speech(pcm)) / 20)), -32_768, 32_767).astype(np.int16)
    return louder


@lru_cache(maxsize=512)
def _samples(path: Path) -> Pcm:
    rate, pcm = wav.read(path.read_bytes())
    return pcm if rate == RATE else resample.whole(pcm, rate, RATE)


def _labelled(folder: Path) -> dict[str, tuple[tuple[Span, tuple[Span, ...]], ...]]:
    """The turns that CSV files of labelled pauses tell of, by recording."""
    rows: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for path in sorted(folder.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            table = csv.reader(lines)
            head = next(table, [])
            if head[:3] != ["file", "pause_start", "pause_end"]:
                continue
            for file, start, end, kind in (row[:4] for row in table if len(row) >= 4):
                rows[file].append((round(float(start) * RATE), round(float(end) * RATE), kind.strip()))
    return {file: tuple(_turns(sorted(pauses))) for file, pauses in rows.items()}


def _turns(pauses: list[tuple[int, int, str]]) -> list[tuple[Span, tuple[Span, ...]]]:
    turns, begin, holds = [], 0, list[Span]()
    for start, end, kind in pauses:
        if kind == "hold":
            holds.append(Span(start, end))
        else:
            turns.append((Span(begin, start), tuple(holds)))
            begin, holds = end, []
    return turns


def _seconds(text: str) -> tuple[Span, ...]:
    """Spans out of "0.45-2.02, 3.1-4"."""
    pairs = (part.strip().split("-") for part in text.split(","))
    return tuple(Span(round(float(start) * RATE), round(float(end) * RATE)) for start, end in pairs)
