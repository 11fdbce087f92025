"""How long a silence ends a turn: by what was asked, what was said, how the voice ended, and how this caller pauses."""

from msgspec.structs import replace

from offhook.audio.prosody import UNKNOWN, Prosody
from offhook.call.config import CallConfig, Interruptible
from offhook.call.minds import Mind
from offhook.conversation.answers import NO, YES
from offhook.conversation.completeness import Completeness, completeness
from offhook.conversation.dictation import dictating
from offhook.conversation.expectation import Answers
from offhook.conversation.numbers import digits
from offhook.conversation.words import normalise
from offhook.timebase import RATE, Duration, lasting, seconds
from offhook.turns.patience import Patience
from offhook.turns.rhythm import Rhythm

_NEVER = seconds(24 * 3600)
_SURE = 0.9
"""Likelihood above which an end-of-turn model is believed, where the words are a sentence. smart-turn says more of 53 %
of 187 ends, and of 27 % of 37 pauses, behind a sentence; but of 34 % of 47 ends, and of 51 % of 128 pauses, behind a
piece of one: there it is not listened to."""
_A_DIGIT = RATE // 5
"""Samples, 200 ms: nobody dictates digits faster."""


def patience_of(config: CallConfig, *, begun: bool, words: bool = False) -> Patience:
    """The waits of the turn table. Before anybody has begun, the other side may have to; where only words interrupt,
    sounds never make us hold.
    """
    patience = config.patience if begun else replace(config.patience, idle=config.patience.first)
    return replace(patience, hold=_NEVER) if words or config.interruptible is Interruptible.WORDS else patience


class Waits:
    """One caller's. All evidence goes to its `prosody`; tell it of every start and stop of speech."""

    def __init__(self, config: CallConfig, mind: Mind) -> None:
        self._patience = config.patience
        self._language = config.language
        self._mind = mind
        self.prosody = Prosody()
        self._rhythm = Rhythm()
        self._rest = UNKNOWN
        self._sure = False
        """An end-of-turn model takes the pause that lasts for the end."""
        self._text = ""
        """What is known for good of the words since that pause began."""
        self.answers_early = False
        """What the caller says began over the last words of a question."""
        self._stopped = self._all_at = 0

    def stopped(self, end: int) -> None:
        """Speech stopped at sample `end`."""
        self._rest, self._stopped = self.prosody.rest(end), end
        self._sure, self._text = False, ""

    def judged(self, likelihood: float) -> Duration:
        """How long, now that an end-of-turn model takes the turn to be over so likely."""
        self._sure = likelihood > _SURE
        return self.after(self._text)

    def started(self, position: int, before: int | None) -> None:
        """Speech starts at sample `position`: a turn, or more of the one that paused at `before`."""
        if before is not None:
            self._rhythm.went_on(lasting(max(0, position - before)))
        else:
            self.answers_early = False
            self._all_at = position + (self._mind.expects.digits or 0) * _A_DIGIT

    def may_be_all(self, heard: int) -> bool:
        """Whether as many digits as are expected may have been said by sample `heard`: then the first sign of a pause
        is worth a look, for the last of them ends the turn at once.
        """
        return self._mind.expects.digits is not None and heard >= self._all_at

    def before_words(self) -> Duration:
        """How long, while nothing is known of the words: their end is guessed from the voice alone."""
        if self._mind.expects.answers is Answers.DIGITS:
            return self._patience.dictation
        return self._between(self._patience.unfinished, self._patience.pause)

    def after(self, text: str) -> Duration:
        """How long, when the turn so far says `text`."""
        self._text = text
        wait, wanted = self.at_least(text), self._mind.expects.digits
        if wanted is not None and wait and (found := digits(normalise(text).split())) is not None:
            self._all_at = self._stopped + max(1, wanted - len(found)) * _A_DIGIT
        return wait

    def at_least(self, text: str) -> Duration:
        """The same while `text` may be but the beginning of it: a judgement of the pause says nothing of that."""
        patience = self._patience
        if not text:
            return self.before_words()
        if self._mind.expects.answers is Answers.DIGITS and (found := self._dictated(text)) is not None:
            return found
        if self._answers(text):
            return patience.complete
        if self._dictates(text):
            return patience.dictation
        match self._complete(text):
            case Completeness.OPEN:
                return patience.unfinished
            case Completeness.UNSURE:
                return self._between(patience.unfinished, patience.pause)
            case Completeness.CLOSED:
                return self._between(patience.complete if self._sure else patience.pause, patience.complete)

    def may_end(self, text: str) -> bool:
        """Whether a reply to `text` is worth asking for before the turn is over."""
        return self._answers(text) or completeness(text, self._language) is not Completeness.OPEN

    def _between(self, wary: Duration, quick: Duration) -> Duration:
        """The wary wait if the voice has stayed up, the quick one if it has come to rest."""
        wait = wary + (min(quick, wary) - wary) * self._rest
        return Duration(min(self._patience.unfinished, round(wait * self._rhythm.pace)))

    def _dictated(self, text: str) -> Duration | None:
        """How long, when digits are expected and some have come: their number is all that counts. Of a number of
        unknown length nobody can tell the last digit from the last of a group.
        """
        wanted = self._mind.expects.digits
        if wanted is None:
            return self._patience.dictation
        if self._mind.answers(text):
            return self._patience.none
        words = normalise(text).split()
        found = digits(words)
        if found is None:
            # One of them may have been misheard.
            return self._patience.dictation if any(digits([word]) for word in words) else None
        return self._patience.unfinished

    def _answers(self, text: str) -> bool:
        """Whether just this was asked for. Anything is an answer to an open question, so there it says nothing."""
        if self._mind.expects.answers is not Answers.ANYTHING:
            return self._mind.answers(text)
        words = tuple(normalise(text).split())
        return words in YES or words in NO

    def _dictates(self, text: str) -> bool:
        return self._mind.expects.answers in (Answers.ANYTHING, Answers.DIGITS) and dictating(text)

    def _complete(self, text: str) -> Completeness:
        """To a question, a piece of a sentence is an answer."""
        found = completeness(text, self._language)
        asked = self._mind.asked or self.answers_early
        return Completeness.CLOSED if found is Completeness.UNSURE and asked else found
