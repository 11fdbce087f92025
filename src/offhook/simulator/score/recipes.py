"""Which calls are made: families, lines and transcribers, drawn from a seed."""

from offhook.simulator.score.ears import Class
from offhook.simulator.score.lines import CLEAN, ECHOING, JITTERY, LINES, LOSSY, NOISIER, NOISY
from offhook.values import Value

FACTORS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.25)
"""By how much an agent's waits for the end of a turn are stretched, to see what shorter and longer ones cost."""


class Recipe(Value, frozen=True):
    """One call. Calls of the same family, `item` and seed are about the same recordings; `factor` stretches the agent's
    waits for the end of a turn."""

    family: str
    item: int
    line: str = CLEAN
    ears: Class = Class.UPLOAD
    factor: float = 1.0
    seed: int = 1

    @property
    def name(self) -> str:
        """For people."""
        stretched = "" if self.factor == 1 else f", waits x {self.factor:g}"
        return f"{self.family} {self.item}, {self.line} line, {self.ears}{stretched}"


_SHARES: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("digits known", 60, (CLEAN, CLEAN, NOISY, JITTERY)),
    ("digits unknown", 60, (CLEAN, CLEAN, NOISY, JITTERY)),
    ("answer", 110, (CLEAN, NOISY, NOISIER, CLEAN, LOSSY, JITTERY, ECHOING)),
    ("backchannel", 140, (CLEAN, CLEAN, NOISY, ECHOING)),
    ("noise", 100, (CLEAN, CLEAN, NOISY, ECHOING)),
    ("side talk", 80, (CLEAN,)),
    ("echo", 112, (ECHOING,)),
    ("double talk", 24, (ECHOING,)),
    ("interruption", 200, (CLEAN, CLEAN, NOISY, LOSSY, JITTERY, ECHOING)),
    ("start-up", 16, (CLEAN, NOISY)),
    ("tool", 16, (CLEAN, NOISY)),
    ("last mark", 16, (CLEAN, JITTERY)),
    ("false start", 24, (CLEAN,)),
    ("silence", 12, (CLEAN, NOISY)),
    ("keys", 24, (CLEAN, JITTERY)),
    ("keys in speech", 12, (CLEAN,)),
    ("keys over agent", 12, (CLEAN,)),
    ("hang-up", 40, LINES),
    ("failure", 40, (CLEAN,)),
    ("crowd", 10, (CLEAN,)),
)
"""Family, calls in a thousand, lines by turns."""
_TURNS = 150
"""Turns with pauses in a thousand calls; each is also heard with other waits and other ears, over and above them."""


def plan(calls: int, seed: int) -> list[Recipe]:
    """About so many calls, and those on top that the curve of waits needs."""
    scale = calls / 1_000
    recipes = list(_pauses(max(1, round(_TURNS * scale)), seed))
    for family, share, lines in _SHARES:
        for item in range(max(1, round(share * scale))):
            ears = tuple(Class)[item % 4] if item % 12 < 8 else tuple(Class)[item % 2]
            recipes.append(Recipe(family, item, lines[(item // 4 + item) % len(lines)], ears, seed=seed))
    return recipes


def _pauses(turns: int, seed: int) -> list[Recipe]:
    recipes = list[Recipe]()
    for item in range(turns):
        for factor in FACTORS:
            recipes += (Recipe("pauses", item, CLEAN, ears, factor, seed) for ears in (Class.UPLOAD, Class.NONE))
        recipes += (Recipe("pauses", item, CLEAN, ears, 1.0, seed) for ears in (Class.STREAM, Class.GARBLED))
        recipes.append(Recipe("pauses", item, LINES[1 + item % 5], Class.UPLOAD, 1.0, seed))
    return recipes
