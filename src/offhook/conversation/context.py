"""How much of a conversation a language model is shown: the instructions, and the newest turns that fit."""

from offhook.conversation.messages import Message, Role

BUDGET = 8_000
"""Tokens for the turns, some forty minutes of talk."""
LEFT_OUT = Message(Role.SYSTEM, "Earlier turns were left out.")

_CHARACTERS_PER_TOKEN = 4
"""Of English text (https://help.openai.com/en/articles/4936856). Other languages take more tokens."""
_FRAME = 4
"""Tokens that surround a message."""


def estimate(characters: int) -> int:
    """About how many tokens a text takes."""
    return -(-characters // _CHARACTERS_PER_TOKEN)


def tokens(message: Message) -> int:
    """About how many tokens a message takes."""
    return _FRAME + estimate(len(message.text) + sum(len(call.name) + len(call.arguments) for call in message.calls))


def fitting(messages: tuple[Message, ...], budget: int = BUDGET) -> tuple[Message, ...]:
    """The messages, less the oldest turns if all turns together take more than `budget` tokens.

    A turn is a message of the caller and all that follows it until the next; what was said before the first is one
    too. Turns stay whole, so a tool's call is never parted from its result, and what is left begins with the caller.
    The newest turn stays however long it is, and so does the system message at the beginning, which does not count. A
    note stands where turns were left out. The cut moves by a quarter of the budget at a time: in between, what the
    model is shown begins with the same words, so that the provider's prompt cache knows them.
    """
    begin = 1 if messages and messages[0].role is Role.SYSTEM else 0
    sizes = [tokens(message) for message in messages[begin:]]
    excess = sum(sizes) - budget
    if excess <= 0:
        return messages
    step = max(1, budget // 4)
    surplus = -(-excess // step) * step
    cut = begin
    for index, size in enumerate(sizes, begin):
        if messages[index].role is Role.USER:
            cut = index
            if surplus <= 0:
                break
        surplus -= size
    return messages if cut == begin else (*messages[:begin], LEFT_OUT, *messages[cut:])
