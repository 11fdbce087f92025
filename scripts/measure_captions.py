"""How many words do captions cut in two? `python scripts/measure_captions.py [FOLDER_OF_RECORDINGS]`.

Speech whose words' times are known goes through the live voice detector and the captions of a one-way call. A word is
whole if one segment holds all of it. Synthesized speech comes from espeak-ng, which reports where each word begins;
the recordings are the composed digit strings whose manifest says the same.
"""

import ctypes
import functools
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from offhook.audio import mulaw, resample, wav
from offhook.call.captions import Captions
from offhook.call.config import CallConfig
from offhook.call.inputs import TranscriptArrived
from offhook.call.outputs import Output, Transcribe
from offhook.call.requests import Requests
from offhook.providers.voices import espeak
from offhook.simulator.evidence import Attentive
from offhook.timebase import RATE, Duration, Instant, seconds

SEGMENTS = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds; 0 is by pauses."""
VOICES = ("en-us", "en-gb", "en-us+f2", "en-gb+f4")
TEXTS = (
    "Good morning, this is Anna from the repair shop. I am calling about the bicycle that you left here on Friday.",
    "We have looked at the gears, and the chain has to be replaced. That would be forty two dollars, parts included.",
    "I was wondering whether I could change my appointment, because my daughter has to see the dentist that afternoon.",
    "Sure, let me see. On Thursday there is something at half past three, or on Monday first thing in the morning.",
    "My account number is four zero seven, nine nine one, two six. And the name is Robertson, with one b.",
    "The train was late again, so by the time that we arrived the restaurant had already closed its kitchen.",
)
QUIET = 0.05
"""Of a recorded word's loudest sample: what is softer is the gap behind it."""


class Word(NamedTuple):
    """Samples at 8 kHz."""

    start: int
    end: int


def main() -> None:
    """Print a table: how long segments are, and the share of words that they cut."""
    recorded = list(digits(Path(sys.argv[1]))) if len(sys.argv) > 1 else []
    spoken = [synthesized(text, voice) for voice in VOICES for text in TEXTS]
    for name, speeches in (("synthesized", spoken), ("recorded digits", recorded)):
        count = sum(len(words) for _, words in speeches)
        length = sum(word.end - word.start for _, words in speeches for word in words) / max(1, count) / RATE
        print(f"{name}: {count} words of {length:.2f} s on average")
        for segment in SEGMENTS if speeches else ():
            cut = sum(len(words) - whole(audio, words, seconds(segment)) for audio, words in speeches)
            print(f"  {f'{segment:g} s' if segment else 'by pauses':>9}: {cut:4d} cut, {cut / count:6.1%}")


def whole(audio: bytes, words: Iterable[Word], segment: Duration) -> int:
    """How many words lie in one segment each."""
    spans = list(segments(audio, segment))
    return sum(any(start <= word.start and word.end <= end for start, end in spans) for word in words)


def segments(audio: bytes, segment: Duration) -> Iterator[tuple[int, int]]:
    """What captions would have transcribed of a track."""
    out: list[Output] = []
    captions = Captions(("inbound",), CallConfig(), Requests(), out, segment)
    ear = Attentive().attach("inbound", lambda evidence: captions.hear(Instant(0), evidence))
    for at in range(0, len(audio), 160):
        ear.listen(Instant(0), at, 0, audio[at : at + 160])
    for asked in out:
        assert isinstance(asked, Transcribe)
        captions.transcribed(Instant(0), TranscriptArrived(asked.request, ""))
        yield asked.start, asked.end


def digits(folder: Path) -> Iterator[tuple[bytes, list[Word]]]:
    """The composed digit strings."""
    for line in (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines():
        found = re.search(r"last word ends ([\d.]+)s, word starts \[(.+?)\]", line)
        if found is None:
            continue
        rate, pcm = wav.read((folder / line.split("\t")[0]).read_bytes())
        assert rate == RATE
        starts = [round(float(each) * RATE) for each in found[2].split(",")]
        bounds = zip(starts, [*starts[1:], round(float(found[1]) * RATE)], strict=True)
        loud = [(start, np.abs(pcm[start:end].astype(int))) for start, end in bounds]
        words = [Word(start, start + int(np.flatnonzero(each > QUIET * each.max())[-1])) for start, each in loud]
        yield mulaw.encode(pcm), words


_WORD, _END = 1, 5  # espeakEVENT_WORD, espeakEVENT_END
_library = functools.cache(espeak.open_library)


def synthesized(text: str, voice: str) -> tuple[bytes, list[Word]]:
    """A text, half a second of silence before and two behind it, and where its words are."""
    library = _library()
    pieces: list[bytes] = []
    events: list[tuple[int, int]] = []

    def heard(samples: "ctypes._Pointer[ctypes.c_short]", count: int, marks: "ctypes._Pointer[espeak.Event]") -> int:
        if count:
            pieces.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while marks and marks[index].type:
            if marks[index].type in (_WORD, _END):
                events.append((marks[index].audio_position * RATE // 1_000, marks[index].type))
            index += 1
        return 0

    callback = espeak.Callback(heard)
    library.espeak_SetVoiceByName(voice.encode())
    library.espeak_SetSynthCallback(callback)
    spoken = text.encode() + b"\0"
    library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, 1, 0, 1, None, None)
    pcm = resample.whole(np.frombuffer(b"".join(pieces), "<i2"), espeak.RATE, RATE)
    lead = RATE // 2
    audio = mulaw.SILENCE * lead + mulaw.encode(pcm) + mulaw.SILENCE * RATE * 2
    bounds = itertools.pairwise(events)
    return audio, [Word(lead + at, lead + until) for (at, kind), (until, _) in bounds if kind == _WORD]


if __name__ == "__main__":
    main()
