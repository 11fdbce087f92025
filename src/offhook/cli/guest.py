"""The demonstration's caller: listens to what is asked, and answers aloud, or on the keypad when that does not help."""

import csv
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from offhook.call.outputs import AgentSaid, Report
from offhook.cli.booking import BOOKING, KEYED, SAID
from offhook.conversation.answers import YesNo
from offhook.errors import ConfigurationError
from offhook.providers.interfaces import Voice
from offhook.simulator import sounds
from offhook.simulator.caller import SimulatedCaller
from offhook.simulator.sounds import Sound

CONFIRM = "confirm"
_PATIENCE = 2
"""How often the same question is answered aloud before the keypad is used."""


class Guest:
    """Somebody who wants a room. `answers` maps a question's id to how it sounds; what is missing is keyed."""

    def __init__(self, answers: Mapping[str, Sound]) -> None:
        self._answers = answers
        self._asked = ""
        self._tries: Counter[str] = Counter()

    def overhear(self, report: Report) -> None:
        """What the agent said reaches the guest as text: the ears on show are the agent's."""
        if isinstance(report, AgentSaid):
            self._asked = report.text

    async def call(self, caller: SimulatedCaller) -> None:
        """The whole call, until the agent hangs up."""
        while True:
            await caller.listen_until_quiet(0.6)
            question = _question(self._asked)
            self._tries[question] += 1
            answer = self._answers.get(question)
            if answer is not None and self._tries[question] <= _PATIENCE:
                await caller.say(answer)
            else:
                await caller.press({**KEYED, CONFIRM: "1"}.get(question, "*"))
            await caller.agent_speaks()


def _question(text: str) -> str:
    """Which question the agent asked last."""
    if "is that right" in text.lower():
        return CONFIRM
    asked = [(text.rfind(question.ask), question.id) for question in BOOKING.questions]
    where, name = max(asked)
    return name if where >= 0 else ""


async def synthesized(voice: Voice) -> dict[str, Sound]:
    """The answers as a voice speaks them."""
    said = {**SAID, CONFIRM: "yes"}
    return {name: await sounds.spoken(voice, words) for name, words in said.items()}


def recorded(folder: Path) -> dict[str, Sound]:
    """The answers as somebody has recorded them.

    Each WAV file's words are taken from `manifest.tsv` in the folder or beside it (columns `file` and `transcript`),
    else from its name ("two_people.wav"). Raises ConfigurationError if not one of them answers a question.
    """
    answers = {question.id: question.answer for question in BOOKING.questions} | {CONFIRM: YesNo()}
    wanted = {name: answers[name].parse(words) for name, words in {**SAID, CONFIRM: "yes"}.items()}
    words = {path: text for path in sorted(folder.glob("*.wav")) if (text := _words(path))}
    found: dict[str, Sound] = {}
    for name, answer in answers.items():
        fitting = [path for path, text in words.items() if answer.parse(text) == wanted[name]]
        if fitting:
            path = min(fitting, key=lambda each: len(words[each]))
            found[name] = sounds.from_file(path, label=words[path])
    if not found:
        wishes = ", ".join(SAID.values())
        raise ConfigurationError(f"no recording in {folder} answers a question: wanted are WAV files of {wishes}")
    return found


def _words(path: Path) -> str:
    for manifest in (path.parent / "manifest.tsv", path.parent.parent / "manifest.tsv"):
        if manifest.is_file():
            with manifest.open(encoding="utf-8", newline="") as lines:
                for row in csv.DictReader(lines, delimiter="\t"):
                    if Path(row.get("file", "")).name == path.name:
                        return row.get("transcript") or ""
    return path.stem.replace("_", " ").replace("-", " ")
