"""Behind the gate nobody is heard later than the bare network hears them, on any line."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from offhook.audio import mulaw
from offhook.audio.events import CHUNK, SpeechStarted
from offhook.audio.speech import SpeechDetector
from offhook.runtime.hearing import Chunk, Hearing
from offhook.simulator import sounds
from offhook.timebase import RATE, Instant
from recordings import AUDIO, needs_recordings

BEFORE = 5 * RATE // CHUNK * CHUNK
"""Samples of line noise before each recording: the gate closes, the network grows slow."""


class Bare(Hearing):
    """Shows every chunk to the network."""

    def _open(self, chunk: Chunk, level: float) -> bool:
        return True


def recorded() -> Iterator[Path]:
    assert AUDIO
    for folder, share in (("utt", 2), ("answer", 3), ("interruption", 3), ("pause", 3), ("digits", 50)):
        yield from sorted(Path(AUDIO, folder).rglob("*.wav"))[::share]


def onsets(hearing: Hearing, said: list[bytes]) -> list[int | None]:
    """The chunk of each recording in which its speech is first heard."""
    ears = [hearing.ear("inbound") for _ in said]
    detectors, found = {id(ear): SpeechDetector() for ear in ears}, dict[int, int]()
    for ear, sound in zip(ears, said, strict=True):
        ear.listen(Instant(0), 0, 0, sound)
    while batch := hearing.batch(ears):
        for ear, evidence in batch:
            event = detectors[id(ear)].handle(evidence)
            if isinstance(event, SpeechStarted):
                found.setdefault(id(ear), (event.position - BEFORE) // CHUNK)
    return [found.get(id(ear)) for ear in ears]


def on_a_line(noise: float) -> list[bytes]:
    """Each recording at the telephone's level, in noise of so many dBov."""
    dice, lines = np.random.default_rng(4), []
    for file in recorded():
        speech = mulaw.decode(sounds.from_file(file, dbov=-25.0).mulaw)[: 2 * RATE]
        sound = dice.standard_normal(BEFORE + len(speech) + RATE // 4) * 32_768 * 10 ** (noise / 20)
        sound[BEFORE : BEFORE + len(speech)] += speech
        lines.append(mulaw.encode(np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)))
    return lines


@needs_recordings
@pytest.mark.parametrize(("noise", "later"), [(-65.0, 0.06), (-40.0, 0.0), (-30.0, 0.0)])
def test_no_onset_is_lost_behind_the_gate_and_hardly_one_comes_later(noise: float, later: float) -> None:
    """On a quiet line, and 15 and 5 dB below speech. `later`: the share that may come later, by 160 ms at most."""
    said = on_a_line(noise)
    pairs = list(zip(onsets(Bare(), said), onsets(Hearing(), said), strict=True))
    assert len(pairs) > 70
    assert not [pair for pair in pairs if pair[0] is not None and pair[1] is None], "lost"
    delays = np.array([gated - bare for bare, gated in pairs if bare is not None and gated is not None])
    assert np.mean(delays > 0) <= later
    assert delays.max() <= 5
    assert np.sum(delays < 0) > np.sum(delays > 0), "it does more good than harm"
