"""From evidence to speech: where it starts and where it stops, with hysteresis."""

from offhook.audio.events import CHUNK, Evidence, SpeechStarted, SpeechStopped
from offhook.audio.level import FLOOR
from offhook.values import Value


class Hysteresis(Value, frozen=True):
    """Where the thresholds lie. The defaults were measured on telephone speech for Silero v6 (8 kHz): on 24 digit
    strings they start 76 ms after the first sound (median; 135 ms at the 90th percentile) without one false start, in
    quiet and in babble."""

    start: float = 0.5
    """The probability from which a chunk begins speech. Lower gains 10 ms at most and lets noise hold on for a
    second."""
    start_chunks: int = 2
    """So many in a row, 64 ms of evidence: with one, coffee-shop noise starts speech twice as often."""
    keep: float = 0.35
    """Silero's own distance to `start` is 0.15 (its `neg_threshold`)."""
    stop_chunks: int = 3
    """So many in a row below `keep`, 96 ms: stop consonants close the mouth for 50 to 100 ms inside a word."""
    silent: float = 35.0
    """dB below the loudest chunk of a burst from which a chunk is none of it, whatever its probability: the detector
    takes 100 ms to believe in silence. On clean recordings stops come 40 ms earlier and a fifth more often."""
    echo: float = 0.5
    """From this likeness on a chunk may be our own voice coming back. Where echo is all there is, 88 % of it lies
    above; of a caller who speaks on a line without echo, 7 % (see `runtime/echo.py` for how that was measured)."""
    echo_below: float = 6.0
    """… and it is taken for it, when it is so many dB below how loud the caller speaks. An echo path loses at least 6
    dB (the return loss that ITU-T G.168 presumes); a caller who talks over us does not."""
    usual: float = -25.0
    """dBov taken for the caller's level until they have spoken: -19 dBm0, RFC 7874 section 4."""


class SpeechDetector:
    """Follows the evidence of one track. Feed every chunk, in order."""

    def __init__(self, hysteresis: Hysteresis = Hysteresis()) -> None:  # noqa: B008 (frozen)
        self._hysteresis = hysteresis
        self.speaking = False
        self.speech_samples = 0
        """How much of the present burst of speech (or the last) was speech."""
        self.silence_samples = 0
        """How much came since the last chunk of speech; what never came is not counted."""
        self.loudest = FLOOR
        """dBov of the loudest chunk of the present burst (or the last)."""
        self.caller_level = hysteresis.usual
        """dBov at which this caller speaks, as far as that is known."""
        self._candidates: list[Evidence] = []
        self._quiet_chunks = 0
        self._end = 0

    def handle(self, evidence: Evidence) -> SpeechStarted | SpeechStopped | None:
        """Take the next chunk. A chunk that mostly never came says nothing: neither speech nor silence."""
        if evidence.missing * 2 > CHUNK:
            return None
        return self._while_speaking(evidence) if self.speaking else self._while_quiet(evidence)

    def _while_quiet(self, evidence: Evidence) -> SpeechStarted | None:
        self.silence_samples += CHUNK
        if evidence.speech < self._hysteresis.start or self._is_echo(evidence):
            self._candidates.clear()
            return None
        self._candidates.append(evidence)
        if len(self._candidates) < self._hysteresis.start_chunks:
            return None
        self.speaking = True
        self.speech_samples, self.loudest = 0, FLOOR
        started = SpeechStarted(self._candidates[0].position)
        for candidate in self._candidates:
            self._count(candidate)
        self._candidates.clear()
        return started

    def _while_speaking(self, evidence: Evidence) -> SpeechStopped | None:
        if evidence.speech >= self._hysteresis.keep and evidence.level > self.loudest - self._hysteresis.silent:
            self._count(evidence)
            return None
        self.silence_samples += CHUNK
        self._quiet_chunks += 1
        if self._quiet_chunks < self._hysteresis.stop_chunks:
            return None
        self.speaking = False
        return SpeechStopped(self._end)

    def _count(self, evidence: Evidence) -> None:
        """One more chunk of speech. Its level is the caller's unless it may be ours."""
        self.speech_samples += CHUNK
        self.silence_samples = self._quiet_chunks = 0
        self.loudest = max(self.loudest, evidence.level)
        self._end = evidence.position + CHUNK
        if evidence.echo < self._hysteresis.echo and evidence.speech >= self._hysteresis.start:
            self.caller_level += (evidence.level - self.caller_level) / 16

    def _is_echo(self, evidence: Evidence) -> bool:
        limit = self.caller_level - self._hysteresis.echo_below
        return evidence.echo >= self._hysteresis.echo and evidence.level < limit
