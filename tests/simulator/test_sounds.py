"""What a caller can utter."""

import asyncio

import numpy as np
import pytest

from offhook.audio import level, mulaw, wav
from offhook.errors import AudioFormatError
from offhook.providers.scripted import ScriptedVoice
from offhook.simulator import sounds
from offhook.simulator.world import run
from recordings import AUDIO, needs_recordings


def test_the_utterance_is_what_can_be_heard() -> None:
    sound = sounds.sound(mulaw.SILENCE * 100 + b"\x20" * 50 + mulaw.SILENCE * 10, "beep")
    assert (sound.start, sound.end, sound.duration) == (100, 150, 20_000)
    assert sounds.silence(0.5) == sounds.Sound(mulaw.SILENCE * 4_000, 0, 0, "silence")


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_a_wav_file_of_any_rate(rate: int) -> None:
    tone = np.rint(3_000 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.int16)
    sound = sounds.from_wav(wav.write(rate, tone), "tone", dbov=-30)
    assert len(sound.mulaw) == pytest.approx(8_000, abs=1)
    assert level.dbov(mulaw.decode(sound.mulaw)) == pytest.approx(-30, abs=0.3)


def test_what_is_no_wav_file_is_refused() -> None:
    with pytest.raises(AudioFormatError):
        sounds.from_wav(b"ID3\x04")


def test_keys_sound_at_their_two_frequencies() -> None:
    sound = sounds.tones("5#", seconds=0.2, gap=0.05)
    pcm = mulaw.decode(sound.mulaw)
    for start, pair in ((0, {770, 1336}), (2_000, {941, 1477})):
        spectrum = np.abs(np.fft.rfft(pcm[start : start + 1_600]))
        assert {int(5 * peak) for peak in np.argsort(spectrum)[-2:]} == {5 * round(hertz / 5) for hertz in pair}
    assert len(pcm) == 4_000


def test_any_voice_can_speak() -> None:
    async def main() -> sounds.Sound:
        return await asyncio.wait_for(sounds.spoken(ScriptedVoice(rate=16_000), "two words"), 5)

    sound = run(main())
    assert sound.label == "two words"
    assert len(sound.mulaw) == pytest.approx(2 * 0.3 * 8_000, abs=2)


@needs_recordings
def test_a_recording_of_a_person() -> None:
    assert AUDIO is not None
    sound = sounds.from_file(next(iter(sorted((AUDIO / "utt").glob("google_*.wav")))))
    assert sound.label.startswith("google_")
    assert sound.end - sound.start > 4_000
