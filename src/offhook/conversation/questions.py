"""One question of a flow."""

from offhook.conversation.answers import Answer, Digits
from offhook.errors import ConfigurationError
from offhook.values import Value


class Question(Value, frozen=True):
    """A question and the kind of answer it wants.

    `id` names its answer in the flow's texts and results, `ask` is what is said. `name` is what a caller calls it when
    correcting it ("the time"; by default the id), `again` replaces `ask` from the second time on, `hint` the answer's
    own hint. `check` reads a spoken answer back and asks whether it is right; by default only digits are checked, and
    keyed answers never are.
    """

    id: str
    ask: str
    answer: Answer
    name: str = ""
    again: str = ""
    hint: str = ""
    check: bool | None = None

    def __post_init__(self) -> None:
        if not self.id.isidentifier():
            raise ConfigurationError(f"a question's id must be one plain word, got {self.id!r}")
        if not self.ask.strip():
            raise ConfigurationError(f"question {self.id!r} has nothing to ask")

    @property
    def called(self) -> str:
        """What the question is called in speech."""
        return self.name or self.id.replace("_", " ")

    @property
    def checked(self) -> bool:
        return isinstance(self.answer, Digits) if self.check is None else self.check

    @property
    def help(self) -> str:
        return self.hint or self.answer.hint()
