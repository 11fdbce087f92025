"""A track's mu-law by position: what came, where it belongs, for as long as somebody may ask for it."""

from offhook.audio.mulaw import SILENCE

LONGEST_GAP = 30 * 8_000
"""Samples. Over a longer gap what came before is forgotten: no word spans it, and a carrier whose timestamps leap
must not make us store silence by the hour."""


class CallerAudio:
    """Keeps one track from the first position written, or the last one forgotten, to the last one written."""

    def __init__(self) -> None:
        self.end = 0
        """The position after the last sample written; 0 before the first."""
        self._mulaw = bytearray()
        self._begun = False

    def __len__(self) -> int:
        """How many samples are kept."""
        return len(self._mulaw)

    def write(self, position: int, mulaw: bytes) -> None:
        """Put `mulaw` where it belongs. What never came before it is silence; what is there already stays."""
        if position != self.end:
            mulaw = self._fitted(position, mulaw)
        self._mulaw += mulaw
        self.end += len(mulaw)
        self._begun = True

    def _fitted(self, position: int, mulaw: bytes) -> bytes:
        gap = position - self.end
        if gap < 0:
            return mulaw[-gap:]
        if not self._begun or gap > LONGEST_GAP:
            self._mulaw.clear()
        else:
            self._mulaw += SILENCE * gap
        self.end = position
        return mulaw

    def slice(self, start: int, end: int) -> bytes:
        """The samples from `start` to `end` (exclusive); what was never written, or is forgotten, is silence."""
        first = self.end - len(self._mulaw)
        low, high = max(start, first), min(end, self.end)
        if low >= high:
            return SILENCE * (end - start)
        return SILENCE * (low - start) + bytes(self._mulaw[low - first : high - first]) + SILENCE * (end - high)

    def forget(self, before: int) -> None:
        """Nobody will ask for samples before this position any more. Cheap: a bytearray loses its head without moving
        the rest."""
        count = min(before, self.end) - (self.end - len(self._mulaw))
        if count > 0:
            del self._mulaw[:count]
