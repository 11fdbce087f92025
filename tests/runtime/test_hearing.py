"""Ears and the batch."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from offhook.audio import mulaw, wav
from offhook.audio.events import CHUNK, Evidence, SpeechStarted
from offhook.audio.resample import whole
from offhook.audio.speech import SpeechDetector
from offhook.runtime.hearing import LONGEST_GAP, QUIET, Ear, Hearing, Recent
from offhook.timebase import SAMPLE_US, Instant
from recordings import AUDIO, needs_recordings

HEARING = Hearing()


def tone(hertz: float, count: int, amplitude: float = 8_000) -> NDArray[np.int16]:
    at = np.arange(count) / 8_000
    return np.rint(amplitude * sum(np.sin(2 * np.pi * hertz * k * at) / k for k in (1, 2, 3))).astype(np.int16)


def noise(count: int, seed: int = 0, amplitude: float = 3_000) -> NDArray[np.int16]:
    """Noise that swells and fades a few times a second, as speech does."""
    dice = np.random.default_rng(seed)
    swell = np.repeat(dice.random(count // 600 + 1) ** 2, 600)[:count]
    return (dice.standard_normal(count) * amplitude * swell).astype(np.int16)


def hear(ear: Ear, sound: bytes, start: int = 0, size: int = 160) -> list[Evidence]:
    """Frames of `size`, each at the instant at which its last sample exists."""
    evidence = []
    for at in range(0, len(sound), size):
        frame = sound[at : at + size]
        if ear.listen(Instant((start + at + len(frame)) * SAMPLE_US), start + at, 0, frame):
            evidence += HEARING.drain(ear)
    return evidence


def test_positions_follow_each_other_from_where_listening_began() -> None:
    evidence = hear(HEARING.ear("outbound"), bytes(1_000), start=777)
    assert [each.position for each in evidence] == [777, 1_033, 1_289]
    assert {each.track for each in evidence} == {"outbound"}


@given(st.lists(st.integers(0, 400), min_size=1, max_size=12))
@settings(deadline=None, max_examples=25)
def test_the_size_of_frames_does_not_matter(sizes: list[int]) -> None:
    sound = mulaw.encode(noise(sum(sizes)))
    wanted = hear(HEARING.ear("inbound"), sound)
    ear, at, found = HEARING.ear("inbound"), 0, list[Evidence]()
    for size in sizes:
        ready = ear.listen(Instant((at + size) * SAMPLE_US), at, 0, sound[at : at + size])
        assert ready == ear.ready
        found += HEARING.drain(ear)
        at += size
    assert found == wanted
    assert len(found) == sum(sizes) // CHUNK


def test_many_ears_at_once_hear_what_each_hears_alone() -> None:
    sounds = [mulaw.encode(noise(1_024, seed)) for seed in range(5)]
    alone = [hear(HEARING.ear("inbound"), sound) for sound in sounds]
    ears = [HEARING.ear("inbound") for _ in sounds]
    for ear, sound in zip(ears, sounds, strict=True):
        ear.listen(Instant(0), 0, 0, sound)
    for step in range(4):
        batch = HEARING.batch(ears)
        assert [ear for ear, _ in batch] == ears
        for (_, found), wanted in zip(batch, alone, strict=True):
            assert found.position == wanted[step].position
            assert found.speech == pytest.approx(wanted[step].speech, abs=2e-4)
            assert (found.level, found.pitch) == (wanted[step].level, wanted[step].pitch)
    assert HEARING.batch(ears) == []


def test_a_gap_is_silence_and_is_counted() -> None:
    ear = HEARING.ear("inbound")
    loud = mulaw.encode(tone(200, 300))
    ear.listen(Instant(0), 0, 0, loud)
    ear.listen(Instant(0), 600, 300, loud)
    evidence = HEARING.drain(ear)
    assert [each.missing for each in evidence] == [0, 212, 88]
    assert evidence[0].level > evidence[1].level > -96


def test_after_a_long_gap_hearing_starts_anew_at_the_new_place() -> None:
    ear, fresh = HEARING.ear("inbound"), HEARING.ear("inbound")
    sound = mulaw.encode(noise(1_024))
    hear(ear, sound + b"half a chunk")
    start = 1_036 + LONGEST_GAP + 1
    evidence = hear(ear, sound, start=start)
    assert [each.position for each in evidence] == [start + at for at in range(0, 1_024, CHUNK)]
    assert [each.speech for each in evidence] == [each.speech for each in hear(fresh, sound)]
    assert all(each.missing == 0 for each in evidence)


def test_what_comes_again_is_passed_over() -> None:
    ear = HEARING.ear("inbound")
    sound = mulaw.encode(noise(768))
    ear.listen(Instant(0), 0, 0, sound[:400])
    ear.listen(Instant(0), 100, 0, sound[100:300])
    ear.listen(Instant(0), 300, 0, sound[300:])
    assert HEARING.drain(ear) == hear(HEARING.ear("inbound"), sound)


def test_level_and_pitch() -> None:
    for hertz in (80, 125, 210, 390):
        evidence = hear(HEARING.ear("inbound"), mulaw.encode(tone(hertz, 1_024)))
        assert evidence[2].pitch == pytest.approx(hertz, rel=0.04)
        assert evidence[2].level == pytest.approx(20 * np.log10(8_000 / 32_768) - 3.01 + 1.34, abs=0.5)
    dice = np.random.default_rng(1)
    hiss = mulaw.encode((dice.standard_normal(8_192) * 500).astype(np.int16))
    assert sum(each.pitch > 0 for each in hear(HEARING.ear("inbound"), hiss)) <= 1
    silence = hear(HEARING.ear("inbound"), mulaw.SILENCE * 512)
    assert [(each.level, each.pitch, each.echo) for each in silence] == [(-96, 0, 0)] * 2


def echoes(heard: NDArray[np.int16], ours: NDArray[np.int16], clear_at: int | None = None) -> list[Evidence]:
    ear = HEARING.ear("inbound")
    for at in range(0, len(ours), 1_600):
        ear.played(Instant(0), mulaw.encode(ours[at : at + 1_600]))
    if clear_at is not None:
        ear.cleared(Instant(clear_at * SAMPLE_US))
    return hear(ear, mulaw.encode(heard))


def likeness(evidence: list[Evidence]) -> float:
    """Of what was loud enough to be like anything, once there has been a second of it."""
    return float(np.mean([each.echo for each in evidence[40:90] if each.level >= QUIET]))


@pytest.mark.parametrize("delay", [0, 800, 1_500, 2_900])
def test_our_own_voice_is_known_when_it_comes_back(delay: int) -> None:
    ours = noise(24_000, seed=1, amplitude=8_000)
    back = np.concatenate((np.zeros(delay, np.int16), ours // 8))
    assert likeness(echoes(back, ours)) > 0.75


def test_somebody_else_is_not_taken_for_us() -> None:
    ours = noise(24_000, seed=1, amplitude=8_000)
    assert likeness(echoes(noise(24_000, seed=2), ours)) < 0.45


def test_without_our_voice_there_is_no_echo_and_soon_after_we_are_cleared_there_is_none() -> None:
    assert {each.echo for each in hear(HEARING.ear("inbound"), mulaw.encode(noise(16_000)))} == {0}
    ours = noise(40_000, seed=1, amplitude=8_000)
    evidence = echoes(ours // 8, ours, clear_at=16_000)
    assert evidence[60].echo > 0.8
    assert {each.echo for each in evidence if each.position > 16_000 + 46 * CHUNK} == {0}


def test_a_line_that_answers_late_does_not_shift_our_voice_against_theirs() -> None:
    """A frame that is held up by 300 ms says nothing about the rest of the line."""
    ours = noise(24_000, seed=1, amplitude=8_000)
    back = mulaw.encode(ours // 8)
    ear = HEARING.ear("inbound")
    ear.played(Instant(0), mulaw.encode(ours))
    found = []
    for at in range(0, len(back), 160):
        late = 300_000 if at % 800 else 0
        ear.listen(Instant((at + 160) * SAMPLE_US + late), at, 0, back[at : at + 160])
        found += HEARING.drain(ear)
    assert likeness(found) > 0.85


def test_what_was_heard_and_played_may_be_described_as_late_as_it_is_compared() -> None:
    ours = noise(24_000, seed=1, amplitude=8_000)
    back = mulaw.encode(np.concatenate((np.zeros(12_000, np.int16), ours[11_200:] // 8)))
    late, early = HEARING.ear("inbound"), HEARING.ear("inbound")
    found = []
    for ear in (late, early):
        ear.played(Instant(0), mulaw.encode(ours))
    for at in range(0, len(back), CHUNK):
        now, frame = Instant((at + CHUNK) * SAMPLE_US), back[at : at + CHUNK]
        for ear in (late, early):
            ear.listen(now, at, 0, frame)
            found += HEARING.drain(ear)
        for side in (early._memory.heard, early._memory.played):
            if side.fresh:
                Recent.rows([side])
    assert found[::2] == found[1::2]
    assert not any(each.echo for each in found if each.position < 12_000 - CHUNK)
    assert max(each.echo for each in found) > 0.8


def test_an_ear_is_small() -> None:
    ear = HEARING.ear("inbound")
    for _ in range(2):  # loud and unlike anything, then quiet while we speak: nothing is described
        hear(ear, mulaw.encode(noise(16_000)), start=ear._end)
        ear.played(Instant(ear._end * SAMPLE_US), mulaw.encode(noise(16_000)))
        hear(ear, mulaw.SILENCE * 16_000, start=ear._end)
    memory = ear._memory
    kept = {id(piece): piece for piece in (*memory.latest, *memory.heard.fresh, *memory.played.fresh)}
    assert len(memory.played.fresh) == 45
    assert memory.state.nbytes + sum(map(sys.getsizeof, (ear._sound, *kept.values()))) < 24_000


def recording(path: str) -> bytes:
    assert AUDIO
    rate, pcm = wav.read((AUDIO / path).read_bytes())
    return mulaw.encode(pcm if rate == 8_000 else whole(pcm, rate, 8_000))


def starts(sound: bytes) -> list[int]:
    detector = SpeechDetector()
    events = [detector.handle(each) for each in hear(HEARING.ear("inbound"), sound + mulaw.SILENCE * 4_000)]
    return [event.position for event in events if isinstance(event, SpeechStarted)]


@needs_recordings
@pytest.mark.parametrize("kind", ["digits_str", "interruption"])
def test_people_are_heard(kind: str) -> None:
    assert AUDIO
    files = sorted((AUDIO / kind).glob("*.wav"))[:20]
    heard = sum(bool(starts(mulaw.SILENCE * 4_000 + recording(f"{kind}/{path.name}"))) for path in files)
    assert heard >= 0.9 * len(files)


@needs_recordings
def test_machines_are_not() -> None:
    assert AUDIO
    for path in sorted((AUDIO / "tone").glob("*.wav")) + sorted((AUDIO / "noise").glob("ms_door*.wav")):
        assert starts(mulaw.SILENCE * 4_000 + recording(f"{path.parent.name}/{path.name}")) == [], path.name
