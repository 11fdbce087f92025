"""What a caller may say at any question, whatever it asks for."""

from enum import StrEnum

from offhook.conversation.grammar import alternatives
from offhook.conversation.spotting import Phrase, words_of
from offhook.conversation.words import phrases


class Command(StrEnum):
    REPEAT = "repeat"
    OPERATOR = "operator"
    GOODBYE = "goodbye"
    HELP = "help"


COMMANDS: dict[Command, frozenset[Phrase]] = {
    Command.REPEAT: phrases(
        """repeat|repeat that|repeat the question|say that again|say it again|again|once more|one more time
        come again|what was that|what did you say|what was the question|can you repeat that|could you repeat that
        can you say that again|could you say that again|can you repeat|could you repeat|pardon|pardon me|excuse me
        i didn't hear you|i didn't hear that|i didn't get that|i didn't catch that|i beg your pardon|what|sorry"""
    ),
    Command.OPERATOR: phrases(
        """operator|agent|an agent|a person|a human|human|a real person|real person|representative|a representative
        talk to an agent|talk to a person|talk to a human|talk to someone|talk to somebody|speak to an agent
        speak to a person|speak to a human|speak to someone|speak to somebody|speak with someone|speak with a person
        talk to a real person|speak to a real person|talk to an operator|speak to an operator|the operator
        an operator|reception|the reception|transfer me|transfer me to an operator|customer service"""
    ),
    Command.GOODBYE: phrases(
        """goodbye|good bye|bye|bye bye|that's all|that is all|no that's all|hang up|see you
        end the call|never mind|nevermind|forget it|forget about it|i'm done|i am done|quit|exit|cancel
        have a nice day|have a good day|good night|cancel the call|talk to you later"""
    ),
    Command.HELP: phrases(
        """help|help me|i need help|what can i say|what can i do|what are my options|what are the options
        what can you do|i don't know|i'm not sure|i don't understand|what do you mean"""
    ),
}
_AROUND = phrases(
    """um|uh|er|please|thanks|thank you|okay|ok|well|so|oh|hey|hello|sorry|i want to|i'd like to|i would like to
    i want|i'd like|can i|could i|let me|can you|could you|yes|then|now|just|to me"""
)
_LIKELY = (
    "repeat", "repeat that", "say that again", "operator", "agent", "a person", "goodbye", "that's all", "help",
)  # fmt: skip
COMMAND_GRAMMAR = alternatives(_LIKELY)
"""The body of a JSGF rule that covers the likely commands."""


def command(text: str) -> Command | None:
    """The command that an utterance is, if all of it is one, save words of politeness around it."""
    words = words_of(text)
    for start in _edges(words):
        for end in (len(words) - cut for cut in _edges(words[::-1], backwards=True)):
            for meant, listed in COMMANDS.items():
                if words[start:end] in listed:
                    return meant
    return None


def _edges(words: Phrase, backwards: bool = False) -> list[int]:
    """After how many words the core may begin: 0, and after each run of phrases that may stand around it."""
    around = {phrase[::-1] for phrase in _AROUND} if backwards else _AROUND
    edges = [0]
    for at in range(len(words)):
        if at in edges:
            edges += [at + len(phrase) for phrase in around if words[at : at + len(phrase)] == phrase]
    return sorted(set(edges))
