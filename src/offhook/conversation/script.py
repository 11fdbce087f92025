"""The script of a flow: its questions and texts, and what is asked, hinted and expected in a state."""

from string import Formatter

import msgspec

from offhook.conversation.answers import OneOf, YesNo
from offhook.conversation.commands import COMMAND_GRAMMAR
from offhook.conversation.expectation import ANYTHING, Answers, Expectation
from offhook.conversation.flow_state import FlowState, Phase
from offhook.conversation.grammar import alternatives, spoken
from offhook.conversation.questions import Question
from offhook.errors import ConfigurationError
from offhook.values import Value


class Script(Value, frozen=True):
    """The questions and texts of a flow.

    `confirm` and `done` may name answers in braces ("{city}"); they are filled in as they would be read back. Without
    `confirm` the flow is done with its last answer. `carriers` are phrases that callers may say around their answers
    ("a meeting room"). After `max_tries` times in a row without a usable answer the flow gives up. Lists of texts are
    used one after the other, the last one for good.
    """

    greeting: str
    questions: tuple[Question, ...]
    confirm: str = ""
    done: str = "Thank you. Goodbye."
    carriers: tuple[str, ...] = ()
    max_tries: int = 3
    not_understood: tuple[str, ...] = ("Sorry, I did not catch that.", "I am afraid I still did not understand.")
    silence: tuple[str, ...] = ("Are you still there?", "I cannot hear you.")
    check: str = "I have {value}. Is that right?"
    once_more: str = "Then once more, please."
    change: str = "What should I change: {names}?"
    wait: str = "Of course, take your time."
    help: str = "You can say repeat, operator or goodbye at any time."
    operator: str = "All right, this is where a person takes over. Goodbye."
    goodbye: str = "Thank you for calling. Goodbye."
    gave_up: str = "I am sorry, I could not help you this time. Please try again later. Goodbye."

    def __post_init__(self) -> None:
        ids = [question.id for question in self.questions]
        if not ids:
            raise ConfigurationError("a Flow needs at least one question")
        if len(set(ids)) < len(ids):
            raise ConfigurationError(f"a Flow's questions need ids of their own, got {', '.join(ids)}")
        names = [spoken(question.called) for question in self.questions]
        if len(set(names)) < len(names) or not all(names):
            raise ConfigurationError(f"a Flow's questions need names that sound different, got {', '.join(names)}")
        if self.max_tries < 1 or not self.not_understood or not self.silence:
            raise ConfigurationError("a Flow needs max_tries of at least 1 and a text for not_understood and silence")
        for field, allowed in (("confirm", ids), ("done", ids), ("check", ["value"]), ("change", ["names"])):
            _check_placeholders(field, getattr(self, field), allowed)

    def _expectation(self, state: FlowState) -> Expectation:
        match state.phase:
            case Phase.ASKING:
                own = self._question(state).answer.expectation()
            case Phase.CHECKING:
                own = YesNo().expectation()
            case Phase.CONFIRMING:
                own = YesNo().expectation()
                own = msgspec.structs.replace(own, grammar=alternatives([own.grammar, f"no {self._name_grammar()}"]))
            case Phase.CORRECTING:
                own = msgspec.structs.replace(self._names().expectation(), grammar=self._name_grammar())
            case _:
                own = ANYTHING
        if own.answers is Answers.ANYTHING:
            return own
        return msgspec.structs.replace(own, grammar=alternatives([own.grammar, COMMAND_GRAMMAR]))

    def _hint(self, state: FlowState) -> str:
        if state.phase is Phase.ASKING:
            return self._question(state).help
        return self._names().hint() if state.phase is Phase.CORRECTING else YesNo().hint()

    def _question(self, state: FlowState) -> Question:
        return next(question for question in self.questions if question.id == state.question)

    def _names(self) -> OneOf:
        """The questions whose answers could have been others, by what they are called."""
        single = [q for q in self.questions if isinstance(q.answer, OneOf) and len(q.answer.choices) == 1]
        return OneOf(tuple(q.called for q in self.questions if q not in single or single == list(self.questions)))

    def _name_grammar(self) -> str:
        return f"[change] [the] ({self._names().grammar()})"

    def _fill(self, text: str, state: FlowState) -> str:
        return text.format_map({q.id: q.answer.read_back(state.answers[q.id]) for q in self.questions})


def _check_placeholders(field: str, text: str, allowed: list[str]) -> None:
    try:
        names = [(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None]
    except ValueError as error:
        raise ConfigurationError(f"a Flow's {field} has a brace without its partner: {error}") from None
    for name, spec, conversion in names:
        if name not in allowed or spec or conversion:
            raise ConfigurationError(f"a Flow's {field} names {{{name}}}; it may name {', '.join(allowed)}")
