"""A call that chance befalls, with a speech model that keeps the conversation itself and does what it is told."""

from dataclasses import dataclass

from chance import WORD, World

from offhook.call.config import CallConfig
from offhook.call.inputs import Input, ReplyFinished, ReplyText, TranscriptArrived, VoiceAudio
from offhook.call.outputs import AskModel, CutSpeech, ForgetSpeech, NoteSpeech, Output, Transcribe
from offhook.conversation.messages import Message, Role
from offhook.turns.table import Agent, Caller

UNKNOWN = "[not understood]"
FILLER = "Er"


@dataclass(eq=False)
class Entry:
    role: Role
    text: str
    number: int = 0
    calls: int = 0


class Believer(World):
    """A call whose model does what it is told, and nothing else."""

    def __init__(self, config: CallConfig) -> None:
        self.entries: list[Entry] = []
        super().__init__(config)

    def give(self, event: Input) -> None:
        if isinstance(event, TranscriptArrived) and event.request in self.open:
            if event.text.strip() or event.final:
                self._write(event.request, event.text.strip() if event.understood else UNKNOWN, anew=True)
        elif isinstance(event, ReplyText) and event.request in self.open:
            self._write(event.request, event.text)
        taken = len(self.outputs)
        super().give(event)
        new = self.outputs[taken:]
        # As they are performed: asides at once, requests a turn of the loop later.
        for output in sorted(new, key=lambda each: isinstance(each, Transcribe | AskModel)):
            self._told(output)

    def answer(self, request: int, text: str, how: str) -> None:
        if isinstance(self.open.get(request), Transcribe):
            super().answer(request, "" if how == "dimly" else text, how)
            return
        if not isinstance(self.open.get(request), AskModel) or how not in ("wholly", "partly", "dimly"):
            super().answer(request, text, how)
            return
        super().answer(request, text, "partly")
        for event in (VoiceAudio(request, WORD * (1 + len(text) % 3)), ReplyFinished(request)):
            if request in self.open and (how != "partly" or isinstance(event, VoiceAudio)):
                self.give(event)

    def _write(self, number: int, text: str, *, anew: bool = False) -> None:
        for entry in self._numbered(number):
            entry.text = text if anew else entry.text + text

    def _told(self, output: Output) -> None:
        match output:
            case Transcribe(request):
                self.entries.append(Entry(Role.USER, UNKNOWN, request))
            case AskModel(request):
                self.entries.append(Entry(Role.ASSISTANT, "", request))
            case CutSpeech(request, heard, words):
                for entry in self._numbered(request):
                    entry.text = words
                    assert bool(words) <= bool(heard)
            case ForgetSpeech(request):
                self.entries = [entry for entry in self.entries if entry.number != request]
            case NoteSpeech(Message(role, text)) if role is not Role.TOOL:
                place = len(self.entries)
                while role is Role.ASSISTANT and place and self._of_caller(self.entries[place - 1]):
                    place -= 1
                self.entries.insert(place, Entry(role, text))
            case _:
                pass

    def _numbered(self, number: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.number == number]

    def _of_caller(self, entry: Entry) -> bool:
        return entry.role is Role.USER and entry.number > 0

    @property
    def at_rest(self) -> bool:
        """Everything has been said, known and heard."""
        dialogue = self.call.dialogue
        assert dialogue is not None
        floor = dialogue._floor
        return (
            dialogue.states in ((Caller.SILENT, Agent.LISTENING), (Caller.WAITING, Agent.LISTENING))
            and not self.open
            and floor.attention.turn is None
        )


def told(lines: list[tuple[Role, str]]) -> list[tuple[Role, list[str]]]:
    """Who said which words between two turns of the other; fillers aside, which answer nothing."""
    blocks: list[tuple[Role, list[str]]] = []
    for role, text in lines:
        words = [word for word in text.split() if word != FILLER]
        if role in (Role.USER, Role.ASSISTANT) and words:
            if not blocks or blocks[-1][0] is not role:
                blocks.append((role, []))
            blocks[-1][1].extend(words)
    return [(role, sorted(words)) for role, words in blocks]
