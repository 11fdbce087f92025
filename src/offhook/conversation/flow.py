"""A conversation as data: questions, the kinds of answers they want, and the texts around them.

A `Flow` needs no language model: it asks, understands, reads back, lets the caller correct, and gives up politely. It
is pure. Each move takes a `FlowState` and yields a `FlowStep` with the next one:

    asking -> (checking ->) asking -> ... -> confirming -> done
                                             confirming -> correcting -> asking -> ... -> confirming

At any point "repeat", "help", "operator" and "goodbye" are understood, the keypad answers as well as the voice, and
one utterance may answer several questions.
"""

from typing import assert_never

import msgspec

from offhook.conversation.answers import Anything, YesNo
from offhook.conversation.commands import Command, command
from offhook.conversation.flow_state import FlowState, FlowStep, Phase
from offhook.conversation.grammar import spoken
from offhook.conversation.script import Script
from offhook.conversation.spotting import Phrase, spot, words_of
from offhook.conversation.words import Meaning, kind, phrases

_CORRECTING = phrases(
    """no|nope|not quite|not really|no no|change|correct|i'd like to change|i want to change|can you change|is wrong
    was wrong|wrong|to|is not right|is incorrect|should be|it should be|i said|i meant|instead|rather|sorry|but|my
    that's wrong|that's not right"""
)


class Flow(Script, frozen=True):
    """A conversation of questions. Its fields are those of `Script`; its methods are its moves."""

    def begin(self) -> FlowStep:
        """The call was answered."""
        return self._forward(FlowState(), self.greeting)

    def heard(self, state: FlowState, text: str, understood: bool = True) -> FlowStep:
        """The caller said something. No words at all (a cough, an "um") change nothing and need no reply."""
        if state.outcome:
            return self._stay(state)
        if not understood:
            return self._failed(state, self.not_understood)
        meaning = kind(text)
        if meaning is Meaning.NOTHING:
            return self._stay(state)
        wanted = command(text)
        if wanted is not None and not self._is_answer(state, text):
            return self._commanded(state, wanted)
        if meaning is Meaning.WAIT:
            return self._stay(state, self.wait)
        return self._answered(state, text) or self._failed(state, self.not_understood)

    def keyed(self, state: FlowState, digits: str) -> FlowStep:
        """The caller pressed keys: an answer, "*" for repeat, or, where it is no answer, "0" for the operator."""
        if state.outcome:
            return self._stay(state)
        if digits == "*":
            return self._commanded(state, Command.REPEAT)
        keys = digits.removesuffix(self._expectation(state).terminator)
        step = self._keyed(state, keys)
        if step is None and keys == "0":
            return self._commanded(state, Command.OPERATOR)
        return step or self._failed(state, self.not_understood)

    def silent(self, state: FlowState) -> FlowStep:
        """The caller has said nothing for long."""
        return self._stay(state) if state.outcome else self._failed(state, self.silence)

    # What an answer does

    def _is_answer(self, state: FlowState, text: str) -> bool:
        """Whether words that are also a command answer the question: a choice may be called "help"."""
        if state.phase is not Phase.ASKING:
            return False
        answer = self._question(state).answer
        return not isinstance(answer, Anything) and answer.parse(text) is not None

    def _answered(self, state: FlowState, text: str) -> FlowStep | None:
        match state.phase:
            case Phase.ASKING:
                return self._asked(state, text)
            case Phase.CHECKING:
                return self._checked(state, text)
            case Phase.CONFIRMING:
                return self._confirmed(state, YesNo().parse(text)) or self._corrected(state, text)
            case Phase.CORRECTING:
                fine = YesNo().parse(text) == "no" or words_of(text) == ("nothing",)
                return self._forward(state) if fine else self._corrected(state, text)
            case Phase.ENDED:
                return self._stay(state)
            case _:
                assert_never(state.phase)

    def _asked(self, state: FlowState, text: str) -> FlowStep | None:
        question = self._question(state)
        if isinstance(question.answer, Anything):
            value = question.answer.parse(text)
            return self._take(state, {question.id: value}) if value else None
        slots = self._spot(words_of(text), question.id)
        return self._take(state, slots) if slots else None

    def _checked(self, state: FlowState, text: str) -> FlowStep | None:
        verdict = YesNo().parse(text)
        if verdict:
            return self._verdict(state, verdict)
        # "No, four one six": the right value at once.
        slots = self._spot(words_of(text), state.question, _CORRECTING)
        return self._take(state, slots) if slots else None

    def _verdict(self, state: FlowState, verdict: str) -> FlowStep:
        if verdict == "yes":
            return self._forward(_with(state, answers={**state.answers, state.question: state.pending}))
        return self._forward(_without(state, state.question), self.once_more)

    def _confirmed(self, state: FlowState, verdict: str | None) -> FlowStep | None:
        if verdict == "yes":
            return self._end(state, "done", self._fill(self.done, state))
        if verdict == "no":
            names = _listed([f"the {name}" for name in self._names().choices])
            prompt = self.change.format(names=names)
            return self._say(_with(state, phase=Phase.CORRECTING, prompt=prompt, failures=0), prompt)
        return None

    def _corrected(self, state: FlowState, text: str) -> FlowStep | None:
        """The caller named what is wrong ("the time"), the right answer ("no, at three"), or both."""
        words = words_of(text)
        named = [q.id for q in self.questions if _contains(words, spoken(q.called))]
        slots = self._spot(words, named[0] if named else "", _CORRECTING)
        if slots:
            return self._take(state, slots)
        if slots is not None and named:
            return self._forward(_without(state, *named))
        bare = {q.id: found for q in self.questions if (found := self._spot(words, q.id, _CORRECTING))}
        return self._take(state, next(iter(bare.values()))) if len(bare) == 1 else None

    def _keyed(self, state: FlowState, keys: str) -> FlowStep | None:
        match state.phase:
            case Phase.ASKING:
                value = self._question(state).answer.from_digits(keys)
                return self._forward(_with(state, answers={**state.answers, state.question: value})) if value else None
            case Phase.CHECKING:
                verdict = YesNo().from_digits(keys)
                return self._verdict(state, verdict) if verdict else None
            case Phase.CONFIRMING:
                return self._confirmed(state, YesNo().from_digits(keys))
            case Phase.CORRECTING:
                chosen = self._names().from_digits(keys)
                named = [question.id for question in self.questions if question.called == chosen]
                return self._forward(_without(state, *named)) if named else None
            case Phase.ENDED:
                return self._stay(state)
            case _:
                assert_never(state.phase)

    def _spot(self, words: Phrase, asked: str, carriers: frozenset[Phrase] = frozenset()) -> dict[str, str] | None:
        """All answers in an utterance. Questions may be named ("the time is three")."""
        around = phrases("\n".join([*self.carriers, *(question.called for question in self.questions)]))
        return spot(words, {q.id: q.answer for q in self.questions}, asked, around | carriers)

    def _take(self, state: FlowState, slots: dict[str, str]) -> FlowStep:
        """Keep the answers; the first that wants to be checked is read back, any other such is left to be asked."""
        checked = [q for q in self.questions if q.id in slots and q.checked]
        kept = {name: value for name, value in slots.items() if name not in {q.id for q in checked}}
        state = _with(state, answers={**state.answers, **kept})
        if not checked:
            return self._forward(state)
        question, value = checked[0], slots[checked[0].id]
        prompt = self.check.format(value=question.answer.read_back(value))
        checking = _with(_without(state, *(q.id for q in checked)), phase=Phase.CHECKING, failures=0, prompt=prompt)
        return self._say(_with(checking, question=question.id, pending=value), prompt)

    # Where to go from here

    def _forward(self, state: FlowState, lead: str = "") -> FlowStep:
        """Ask what is still unanswered, or else have it all confirmed, or else be done."""
        state = _with(state, failures=0, pending="")
        question = next((q for q in self.questions if q.id not in state.answers), None)
        if question:
            prompt = question.ask
            state = _with(state, phase=Phase.ASKING, question=question.id, prompt=prompt)
        elif self.confirm:
            prompt = self._fill(self.confirm, state)
            state = _with(state, phase=Phase.CONFIRMING, question="", prompt=prompt)
        else:
            return self._end(state, "done", _joined(lead, self._fill(self.done, state)))
        return self._say(state, _joined(lead, prompt))

    def _failed(self, state: FlowState, leads: tuple[str, ...]) -> FlowStep:
        failures = state.failures + 1
        if failures >= self.max_tries:
            return self._end(state, "gave_up", self.gave_up)
        lead = leads[min(failures, len(leads)) - 1]
        hint = self._hint(state) if failures > 1 else ""
        again = self._question(state).again if state.phase is Phase.ASKING else ""
        return self._say(_with(state, failures=failures), _joined(lead, hint, again or state.prompt))

    def _commanded(self, state: FlowState, wanted: Command) -> FlowStep:
        match wanted:
            case Command.REPEAT:
                return self._say(state, state.prompt)
            case Command.HELP:
                return self._say(state, _joined(self._hint(state), self.help, state.prompt))
            case Command.OPERATOR:
                return self._end(state, "operator", self.operator)
            case Command.GOODBYE:
                return self._end(state, "goodbye", self.goodbye)
            case _:
                assert_never(wanted)

    def _end(self, state: FlowState, outcome: str, say: str) -> FlowStep:
        return FlowStep(_with(state, phase=Phase.ENDED, outcome=outcome, question="", pending=""), say, None, outcome)

    def _stay(self, state: FlowState, say: str = "") -> FlowStep:
        return FlowStep(state, say, None, state.outcome) if state.outcome else self._say(state, say)

    def _say(self, state: FlowState, text: str) -> FlowStep:
        return FlowStep(state, text, self._expectation(state))


def _with(state: FlowState, **changes: object) -> FlowState:
    return msgspec.structs.replace(state, **changes)


def _without(state: FlowState, *ids: str) -> FlowState:
    return _with(state, answers={name: value for name, value in state.answers.items() if name not in ids})


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _listed(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _contains(words: Phrase, phrase: str) -> bool:
    return f" {phrase} " in f" {' '.join(words)} "
