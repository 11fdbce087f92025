"""The lines that calls come over, by name."""

from random import Random

import numpy as np

from offhook.simulator.acoustics import Echo, Noise
from offhook.simulator.line import Line
from offhook.simulator.score.corpus import Corpus
from offhook.timebase import Duration, ms

CLEAN, NOISY, NOISIER, LOSSY, JITTERY, ECHOING = "clean", "15 dB", "5 dB", "lossy", "jittery", "echoing"
LINES = (CLEAN, NOISY, NOISIER, LOSSY, JITTERY, ECHOING)
_SNR = {NOISY: 15.0, NOISIER: 5.0}
_STATIONARY = ("office", "room tone", "quiet room", "engine", "vacuum", "rain")


def line(name: str, corpus: Corpus, random: Random) -> Line:
    """One of `LINES`, with a seed of its own."""
    seed = random.getrandbits(32)
    if name in _SNR:
        return Line(noise=_noise(_SNR[name], corpus, random), seed=seed)
    if name == LOSSY:
        return Line(loss=0.02, burst_ms=100, seed=seed)
    if name == JITTERY:
        return Line(jitter_ms=200, seed=seed)
    if name == ECHOING:
        return echoing(corpus, random, seed)
    return Line(seed=seed)


def echoing(corpus: Corpus, random: Random, seed: int = 0) -> Line:
    """Our own voice comes back 80 to 250 ms later, through a measured impulse response, 20 to 45 dB weaker."""
    pcm = corpus.pcm(random.choice(corpus.of("impulse"))).astype(np.float32)
    echo = Echo(gain_db=random.uniform(-45, -20), delay_ms=random.uniform(80, 250), impulse=pcm)
    return Line(echo=echo, seed=seed)


def own_delay(line: Line) -> Duration:
    """What a line adds to the time in which the agent can be stopped: there and back again."""
    return ms(2 * (line.delay_ms + line.jitter_ms))


def _noise(snr: float, corpus: Corpus, random: Random) -> Noise:
    recorded = [it for it in corpus.kinds.get("noise", ()) if any(mark in it.speaker for mark in _STATIONARY)]
    kind = random.choice(("white", "pink", "recorded"))
    if kind == "recorded" and recorded:
        return Noise(snr, recording=corpus.pcm(random.choice(recorded)).astype(np.float32))
    return Noise(snr, colour="white" if kind == "white" else "pink")
