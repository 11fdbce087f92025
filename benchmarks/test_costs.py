"""What the steps of a call cost. `python -m pytest benchmarks`; no part of the tests.

Each has a ceiling of two to three times what was measured when it was written, so that only what has become
really dearer fails.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from benchmarks.conftest import Cost, Work
from benchmarks.door import MediumProtocol, medium
from benchmarks.frames import evaluating, handling, keeping, listening, started_stream, streaming, weighing

from offhook.audio import mulaw
from offhook.audio.leveller import Leveller
from offhook.audio.resample import Resampler
from offhook.call.tape import Step, digest, encode_step
from offhook.carrier.commands import PlayAudio
from offhook.carrier.events import AudioReceived, Track
from offhook.conversation.sentences import SentenceCutter
from offhook.simulator.load.agents import REPLY
from offhook.storage.tapes import TapeStore
from offhook.timebase import Instant

FRAME, RATE = 160, 24_000


def frames(sound: bytes) -> list[AudioReceived]:
    return [AudioReceived(Track.INBOUND, at, sound[at : at + FRAME]) for at in range(0, len(sound), FRAME)]


def always(work: Work) -> Callable[[], Work]:
    return lambda: work


def repeated(work: Callable[[], object], times: int = 200) -> Callable[[], Work]:
    """Work that leaves nothing behind, so often."""

    def several() -> int:
        for _ in range(times):
            work()
        return times

    return always(several)


def test_frame_in_from_bytes_to_text(cost: Cost) -> None:
    protocol = MediumProtocol()
    frame = medium("MZ1", 500)
    assert cost(repeated(lambda: protocol.data_received(frame))) < 15


def test_frame_in_from_text_to_event(cost: Cost, sent: list[str]) -> None:
    assert cost(lambda: streaming(sent)) < 10


def test_frame_kept(cost: Cost, sound: bytes) -> None:
    received = frames(sound)
    assert cost(always(lambda: keeping(received))) < 6


def test_frame_handled_by_the_call(cost: Cost, sound: bytes) -> None:
    received = frames(sound)
    assert cost(lambda: handling(received)) < 13


def test_frame_cut_into_chunks(cost: Cost, sound: bytes) -> None:
    received = frames(sound)
    assert cost(lambda: listening(received)) < 10


def test_chunk_heard_alone(cost: Cost, sound: bytes) -> None:
    assert cost(lambda: evaluating(sound[: 256 * 20], 1)) < 1_500


def test_chunk_heard_among_64(cost: Cost, sound: bytes) -> None:
    assert cost(lambda: evaluating(sound[: 256 * 10], 64)) < 200


def test_evidence_handled_by_the_call(cost: Cost, sound: bytes) -> None:
    received = frames(sound)
    assert cost(lambda: weighing(received)) < 35


def test_200_ms_out_to_text(cost: Cost) -> None:
    stream, play = started_stream(), PlayAudio(mulaw.SILENCE * 1_600)
    assert cost(repeated(lambda: stream.encode(play))) < 30


def test_200_ms_of_speech_at_8_khz_and_levelled(cost: Cost) -> None:
    wave = np.sin(np.arange(RATE // 5) * 2 * np.pi * 300 / RATE) * 6_000
    piece = np.rint(wave).astype("<i2").tobytes()

    def prepare() -> Work:
        resampler, utterance = Resampler(RATE, 8_000), Leveller().utterance()

        def work() -> int:
            for _ in range(30):
                utterance.feed(np.frombuffer(resampler.feed(piece), "<i2"))
            return 30

        return work

    assert cost(prepare) < 2_500


def test_200_ms_to_mulaw(cost: Cost) -> None:
    pcm = np.arange(1_600, dtype=np.int16)
    assert cost(repeated(lambda: mulaw.encode(pcm))) < 60


def test_200_ms_from_mulaw(cost: Cost) -> None:
    sound = mulaw.SILENCE * 1_600
    assert cost(repeated(lambda: mulaw.decode(sound))) < 30


def test_token_cut_into_sentences(cost: Cost) -> None:
    tokens = [f"{word} " for word in REPLY.split()]

    def cut() -> int:
        cutter = SentenceCutter()
        for token in tokens:
            cutter.feed(token)
        cutter.finish()
        return len(tokens)

    assert cost(always(lambda: sum(cut() for _ in range(20)))) < 60


def test_frame_written_to_the_tape(cost: Cost, sound: bytes, tmp_path: Path) -> None:
    received, store = frames(sound), TapeStore(tmp_path)
    tape = store.open("CA1")

    def write() -> int:
        for frame in received:
            tape.write(encode_step(Step(Instant(frame.position * 125), frame, digest(()))))
        return len(received)

    assert cost(always(write)) < 20
    tape.close()
    store.close()
