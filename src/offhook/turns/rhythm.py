"""How long this caller pauses while going on: some take a second between two phrases, some never stop for half."""

import math

from offhook.timebase import Duration, ms

_USUAL = ms(750)
"""Pauses inside of turns are log-normal (Campione and Véronis 2002, "A large-scale multilingual study of silent pause
duration"); those of 400 ms and more have their middle about here."""
_SHORTEST = ms(300)
"""Shorter ones are part of articulation, and no wait depends on them."""
_LONGEST = ms(4_000)
"""After that somebody was doing something else."""
_PRIOR = 4
"""So many usual pauses are taken to have been heard before the first."""
_LEAST, _MOST = 0.85, 1.3
"""How far a wait is changed. Less downwards: of pauses longer than the wait most were not seen as such."""


class Rhythm:
    """One caller's pauses, learned as the call goes on."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0

    def went_on(self, pause: Duration) -> None:
        """The caller paused for so long, and then continued the same turn."""
        if _SHORTEST <= pause <= _LONGEST:
            self._count += 1
            self._sum += math.log(pause / _USUAL)

    @property
    def pace(self) -> float:
        """What to multiply a wait with: 1 for a caller of whom nothing is known."""
        return min(_MOST, max(_LEAST, math.exp(self._sum / (self._count + _PRIOR))))
