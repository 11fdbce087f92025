"""How long silences last, by what is known of the caller's words and of what was asked."""

from msgspec.structs import replace

from offhook.call.config import CallConfig, Interruptible
from offhook.call.minds import Mind
from offhook.conversation.completeness import dangling
from offhook.conversation.expectation import Answers
from offhook.timebase import Duration, seconds
from offhook.turns.patience import Patience

_NEVER = seconds(24 * 3600)


def patience_of(config: CallConfig, *, begun: bool) -> Patience:
    """The waits of the turn table. Before anybody has begun, the other side may have to; where only words interrupt,
    sounds never make us hold.
    """
    patience = config.patience if begun else replace(config.patience, idle=config.patience.first)
    return replace(patience, hold=_NEVER) if config.interruptible is Interruptible.WORDS else patience


def pause_for(mind: Mind, text: str, config: CallConfig) -> Duration:
    """How long a silence ends a turn that so far says `text`."""
    if mind.expects.answers is Answers.DIGITS and mind.expects.digits is None:
        # Nobody can tell the last digit from the last of a group.
        return config.patience.unfinished
    if mind.answers(text):
        return config.patience.complete
    if dangling(text, config.language):
        return config.patience.unfinished
    return pause_before_words(mind, config)


def pause_before_words(mind: Mind, config: CallConfig) -> Duration:
    """The same when nothing is known of the words: who dictates digits gets more time."""
    return config.patience.unfinished if mind.expects.answers is Answers.DIGITS else config.patience.pause
