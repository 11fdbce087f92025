"""The gate before the network: it saves work on silent lines and loses no onset."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.audio.events import CHUNK, Evidence, SpeechStarted
from offhook.audio.speech import SpeechDetector
from offhook.runtime.hearing import PATIENCE, Hearing
from offhook.simulator import sounds
from offhook.timebase import RATE, Instant
from recordings import AUDIO, needs_recordings

HEARING = Hearing()
LONG, SHORT = 10, 1
"""Seconds of silence."""


def hiss(seconds: int) -> NDArray[np.int16]:
    """The noise of a quiet line, -65 dBov."""
    dice = np.random.default_rng(5)
    return np.rint(dice.standard_normal(seconds * RATE // CHUNK * CHUNK) * 18.4).astype(np.int16)


def vowel() -> NDArray[np.int16]:
    """Something like half a second of "a": 120 Hz gliding to 150, formants at 700 and 1,200 Hz."""
    at = np.arange(RATE // 2) / RATE
    phase, sound = 2 * np.pi * (120 * at + 30 * at**2), np.zeros(RATE // 2)
    for harmonic in range(1, 25):
        weights = (1 / (1 + ((130 * harmonic - hertz) / 150) ** 2) for hertz in (700, 1_200))
        sound += sum(weights) * np.sin(harmonic * phase)
    sound *= np.sin(np.pi * at / 0.5) * 6_000 / abs(sound).max()
    return np.rint(sound).astype(np.int16)


def heard(pcm: NDArray[np.int16]) -> list[Evidence]:
    ear = HEARING.ear("inbound")
    ear.listen(Instant(0), 0, 0, mulaw.encode(pcm))
    return HEARING.drain(ear)


def onset(seconds: int, speech: NDArray[np.int16]) -> int | None:
    """The chunk of the speech in which it is first heard, after so much silence."""
    before, detector = hiss(seconds), SpeechDetector()
    for evidence in heard(np.concatenate((before, speech))):
        event = detector.handle(evidence)
        if isinstance(event, SpeechStarted):
            return (event.position - len(before)) // CHUNK
    return None


def test_silence_is_not_shown_to_the_network_after_half_a_second() -> None:
    speech = [evidence.speech for evidence in heard(hiss(LONG))]
    assert all(speech[:PATIENCE])
    assert not any(speech[PATIENCE:])


def test_the_same_speech_is_heard_as_soon_after_long_silence_as_after_short() -> None:
    assert onset(SHORT, vowel()) is not None
    assert onset(LONG, vowel()) == onset(SHORT, vowel())


@needs_recordings
def test_no_recording_is_lost_behind_the_gate() -> None:
    assert AUDIO
    late = []
    for file in sorted(Path(AUDIO, "answer").glob("*.wav"))[:40]:
        speech = mulaw.decode(sounds.from_file(file, dbov=-25.0).mulaw)
        soon, later = onset(SHORT, speech), onset(LONG, speech)
        assert (soon is None) >= (later is None), f"{file.name} is lost"
        if soon is not None and later is not None:
            late.append(later - soon)
    assert len(late) > 30
    assert np.mean(np.array(late) <= 1) >= 0.95
    assert sorted(late)[len(late) // 2] == 0


@needs_recordings
def test_silence_after_speech_makes_nobody_deaf() -> None:
    """A network that goes on from where the last words left it misses one word in ten."""
    assert AUDIO
    opening = mulaw.decode(sounds.from_file(Path(AUDIO, "utt", "google_book_a_room.wav"), dbov=-25.0).mulaw)
    before = np.concatenate((opening, np.zeros(4 * RATE, np.int16)))
    files = sorted(Path(AUDIO, "interruption").glob("sc_*.wav"))
    missed = []
    for file in files:
        word = mulaw.decode(sounds.from_file(file, dbov=-25.0).mulaw)
        detector = SpeechDetector()
        events = [event for each in heard(np.concatenate((before, word))) if (event := detector.handle(each))]
        if not any(isinstance(event, SpeechStarted) and event.position > len(before) - CHUNK for event in events):
            missed.append(file.stem)
    assert len(missed) <= 0.03 * len(files), missed
    assert len(files) > 20
