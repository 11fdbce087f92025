"""From evidence to speech: where it starts and where it stops, with hysteresis."""

from collections import deque
from collections.abc import Sequence

from offhook.audio.echopath import EchoPath
from offhook.audio.events import CHUNK, Evidence, SpeechStarted, SpeechStopped
from offhook.audio.level import FLOOR, Noise, decibels, power
from offhook.timebase import RATE
from offhook.values import Value

_MARGIN = 15.9
"""dB below the loudest from which sound says nothing about how loud somebody speaks (ITU-T P.56, 5.1)."""
_ABOVE_NOISE = 8.0
"""dB by which steady noise does not exceed its own floor in 32 ms."""
_A_WORD = 8 * CHUNK
"""Of a shorter burst nobody can say whose it was."""
_RUN_UP = 16
"""Chunks, half a second: what was not listened to for longer than that before speech started is none of it."""


class Hysteresis(Value, frozen=True):
    """Where the thresholds lie. The defaults were measured on telephone speech for Silero v6 (8 kHz): on 24 digit
    strings they start 76 ms after the first sound (median; 135 ms at the 90th percentile) without one false start, in
    quiet and in babble."""

    start: float = 0.5
    """The probability from which a chunk begins speech. Lower gains 10 ms at most and lets noise hold on for a
    second."""
    start_chunks: int = 2
    """So many in a row, 64 ms of evidence: with one, coffee-shop noise starts speech twice as often."""
    likely: float = 0.3
    """Half as sure is enough where speech is all that it can be: …"""
    likely_chunks: int = 4
    """… so many in a row of which that is the mean, none below two thirds of it and all but one with a pitch, …"""
    likely_above: float = 15.0
    """… so many dB above the line's noise …"""
    likely_below: float = 10.0
    """… and no more than so many below how loud the caller speaks. Of 1,080 single words on quiet and noisy lines it
    finds three of the four that the network misses; of 210 takes of noises it takes three more for speech, two of them
    laughs."""
    half: float = 0.25
    """Where we are silent, so much belief is enough on average from a chunk on that stands out: …"""
    half_chunks: int = 8
    """… over so many, for the network comes to believe in a short word when it is nearly over. Of 2,352 takes of single
    words, on lines down to 5 dB, 16 start no speech by the rules above; this finds 13 of them, and takes one of 143
    takes of noises more for speech. Over our voice it would make us hold."""
    keep: float = 0.35
    """Silero's own distance to `start` is 0.15 (its `neg_threshold`)."""
    stop_chunks: int = 3
    """So many in a row below `keep`, 96 ms: stop consonants close the mouth for 50 to 100 ms inside a word."""
    silent: float = 35.0
    """dB below the loudest chunk of a burst from which a chunk is none of it, whatever its probability: the detector
    takes 100 ms to believe in silence. On clean recordings stops come 40 ms earlier and a fifth more often."""
    floor: float = 2.0
    """dB above the line's noise up to which a chunk is nothing but that noise, whatever its probability, where speech
    is louder by so much that no sound of it drowns (`_MARGIN`): behind a word on a line with noise 15 dB below speech
    the network believes in it for 100 to 200 ms more. At 5 dB it would cost one word in a hundred its end."""
    lull: float = 5.0
    """The same for a chunk that is no more than a reason to ask for the words so far (`SpeechDetector.lull`)."""
    soft: float = 25.0
    """Less than so many dB below the loudest, and well above the line's noise, a chunk may be the soft end of a word,
    the s of "meters", which the network does not know for speech: …"""
    soft_chunks: int = 3
    """… so many of them do not count as silence."""
    ours: float = 6.0
    """dB above what may come back of our own voice (see `EchoPath`) up to which a chunk is taken for it: rooms and
    codecs move single chunks by as much."""
    echo: float = 0.5
    """From this likeness on a chunk sounds like what we play. Where echo is all there is, 88 % of it lies above; of a
    caller who speaks on a line without echo, 7 % (see `runtime/echo.py` for how that was measured)."""
    alike: float = 12.0
    """The same as `ours` for a chunk that sounds like it, when a second of our speech has shown what the path is. Of
    1,000 echoes 20 to 45 dB below our voice 4 start speech, and of 500 interruptions over such echoes 2 are not heard,
    which are not heard without an echo either. With 20 dB it is 1 and 7; by likeness alone, whatever the path, 285
    and 4."""
    steady: float = 0.003
    """The part of its frequency by which a tone that a machine makes moves from chunk to chunk at most. A chunk that
    holds so still twice in a row is no speech: of 3,284 words 1.3 % do it, for 128 ms at most."""
    faint: float = 20.0
    """Speech whose loudest chunk is so many dB below what the caller's usually is, once a second of that is known, is
    somebody else's: a television, a neighbour. Of 88 pieces of natural speech the softest is 15 dB below those before
    it. A caller who says one word 14 dB more softly than before is heard 39 times in 40, at 18 dB 31 times; talk 26 dB
    below the caller begins speech 500 times an hour instead of 1,350. What lies nearer is told apart by nothing
    here."""
    faint_chunks: int = 16
    """… until so many chunks of it for each dB have not been listened to, half a second: a caller who has turned away
    is heard again, soon."""
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
        self.surest = 0.0
        """The highest probability of speech in it."""
        self.caller_level = hysteresis.usual
        """dBov at which this caller speaks, as far as that is known."""
        self._known = 0
        """How many samples of the caller's speech `_usual` was learned from."""
        self._usual = FLOOR
        """dBov of the loudest chunk of a burst, as a rule."""
        self._ignored = 0
        """How many chunks of faint speech have come since speech last started."""
        self._noise = Noise()
        self._floor = FLOOR
        """dBov of the line's noise."""
        self._path = EchoPath()
        self._ours = FLOOR
        """dBov up to which the present chunk may be our own voice."""
        self._tone = 0.0
        self._steady = 0
        """How many chunks in a row were the same tone as the one before."""
        self._candidates: deque[Evidence] = deque(maxlen=max(_RUN_UP, hysteresis.start_chunks))
        self._likely: deque[Evidence] = deque(maxlen=hysteresis.likely_chunks)
        self._half: deque[Evidence] = deque(maxlen=hysteresis.half_chunks)
        self._quiet_chunks = self._soft_chunks = 0
        self._end = 0
        self.lull = False
        """Speech goes on as far as is known, but the last chunk was no louder than a pause may be."""

    @property
    def pausing(self) -> bool:
        """Whether speech goes on, and something has come since its last sound that is not even its soft end."""
        return self.speaking and self._quiet_chunks > 0

    def handle(self, evidence: Evidence) -> SpeechStarted | SpeechStopped | None:
        """Take the next chunk. A chunk that mostly never came says nothing: neither speech nor silence."""
        if evidence.missing * 2 > CHUNK:
            return None
        heard = power(evidence.level)
        if self._ours <= FLOOR:
            self._noise.hear(heard)
        self._ours = self._path.hear(heard, evidence.played, self._noise.power)
        self._floor = decibels(self._noise.power)
        still = evidence.tone > 0 and abs(evidence.tone - self._tone) <= self._hysteresis.steady * evidence.tone
        self._tone, self._steady = evidence.tone, self._steady + 1 if still else 0
        return self._while_speaking(evidence) if self.speaking else self._while_quiet(evidence)

    def _while_quiet(self, evidence: Evidence) -> SpeechStarted | None:
        self.silence_samples += CHUNK
        if self._steady > 1 or self._is_echo(evidence):
            self._candidates.clear()
            self._likely.clear()
            self._half.clear()
        elif not self._steady:  # one still chunk is a vowel as likely as not: what comes next will tell
            self._weigh(evidence)
        if len(self._candidates) >= self._hysteresis.start_chunks:
            return None if self._is_faint() else self._begin(self._candidates)
        if self._half and self._is_half_believed():
            return self._begin(self._half)
        return self._begin(self._likely) if self._likely and self._is_likely() else None

    def _weigh(self, evidence: Evidence) -> None:
        """Whether a chunk may be the next one of speech that begins."""
        hysteresis = self._hysteresis
        if evidence.speech >= hysteresis.start:
            self._candidates.append(evidence)
        else:
            self._candidates.clear()
        if evidence.speech * 3 >= hysteresis.likely * 2 and self._stands_out(evidence.level):
            self._likely.append(evidence)
        else:
            self._likely.clear()
        if self._ours <= FLOOR:
            self._half.append(evidence)
        else:
            self._half.clear()

    def _stands_out(self, level: float) -> bool:
        """Whether speech that is weak evidence is loud enough for this line and this caller."""
        hysteresis = self._hysteresis
        return level >= max(self._floor + hysteresis.likely_above, self.caller_level - hysteresis.likely_below)

    def _is_likely(self) -> bool:
        chunks, wanted = self._likely, self._hysteresis.likely_chunks
        if len(chunks) < wanted:
            return False
        voiced = sum(chunk.pitch > 0 for chunk in chunks) >= wanted - 1
        return voiced and sum(chunk.speech for chunk in chunks) >= self._hysteresis.likely * wanted

    def _is_half_believed(self) -> bool:
        """What is too soft to be the beginning is forgotten."""
        chunks, near = self._half, self.caller_level - self._hysteresis.likely_below
        least = max(self._floor + _ABOVE_NOISE, near)
        while chunks and chunks[0].level < least:
            chunks.popleft()
        return sum(chunk.speech for chunk in chunks) >= self._hysteresis.half * self._hysteresis.half_chunks

    def _begin(self, chunks: Sequence[Evidence]) -> SpeechStarted:
        self.speaking = True
        self.speech_samples, self.loudest, self.surest = 0, FLOOR, 0.0
        started = SpeechStarted(chunks[0].position)
        for chunk in chunks:
            self._count(chunk)
        self._candidates.clear()
        self._likely.clear()
        self._half.clear()
        self._ignored = 0
        return started

    def _while_speaking(self, evidence: Evidence) -> SpeechStopped | None:
        floor = max(self.loudest - self._hysteresis.silent, self._near(self._hysteresis.floor), self._ours)
        self.lull = evidence.level <= max(self.loudest - self._hysteresis.soft, self._near(self._hysteresis.lull))
        if evidence.speech >= self._hysteresis.keep and evidence.level > floor and self._steady < 2:
            self._count(evidence)
            return None
        self.silence_samples += CHUNK
        if self._may_be_soft(evidence):
            self._soft_chunks += 1
        else:
            self._quiet_chunks += 1
        if self._quiet_chunks < self._hysteresis.stop_chunks + self._drowns():
            return None
        self.speaking = self.lull = False
        if self._ours <= FLOOR and self.speech_samples >= _A_WORD:
            self._usual = (self._usual + self.loudest) / 2 if self._known else self.loudest
            self._known += self.speech_samples
        return SpeechStopped(self._end)

    def _count(self, evidence: Evidence) -> None:
        """One more chunk of speech. Its level is the caller's unless it may be ours."""
        self.speech_samples += CHUNK
        self.silence_samples = self._quiet_chunks = self._soft_chunks = 0
        self.loudest = max(self.loudest, evidence.level)
        self.surest = max(self.surest, evidence.speech)
        self._end = evidence.position + CHUNK
        active = evidence.speech >= self._hysteresis.start and evidence.level > self.loudest - _MARGIN
        if active and evidence.echo < self._hysteresis.echo:
            self.caller_level += (evidence.level - self.caller_level) / 16

    def _may_be_soft(self, evidence: Evidence) -> bool:
        if self._soft_chunks >= self._hysteresis.soft_chunks or self._steady > 1:
            return False
        return evidence.level > self._least()

    def _near(self, above: float) -> float:
        """So many dB above the line's noise, where speech is louder by so much that no sound of it drowns there."""
        return min(self._floor + above, self.loudest - _MARGIN)

    def _least(self) -> float:
        """dBov above which a chunk that the network does not know for speech may be the soft end of some."""
        return max(self.loudest - self._hysteresis.soft, self._floor + _ABOVE_NOISE, self._ours)

    def _drowns(self) -> bool:
        """Whether the soft end of a word cannot be told from the line's noise, and so may go on for one chunk more: of
        10 words in noise that were sent without their end 5 lacked no more. What hides all of a word is no noise."""
        hidden = self._floor + _ABOVE_NOISE
        return self.loudest - self._hysteresis.soft < hidden < self.loudest

    def _is_faint(self) -> bool:
        if self._known < RATE:
            return False
        allowed = self._hysteresis.faint + self._ignored / self._hysteresis.faint_chunks
        self._ignored += 1
        return max(chunk.level for chunk in self._candidates) < self._usual - allowed

    def _is_echo(self, evidence: Evidence) -> bool:
        alike = evidence.echo >= self._hysteresis.echo and self._path.known
        return evidence.level < self._ours + (self._hysteresis.alike if alike else self._hysteresis.ours)
