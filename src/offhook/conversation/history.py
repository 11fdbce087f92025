"""What has been said: the caller's turns as transcribed, ours as heard, and the tools that were used between."""

from offhook.conversation.context import BUDGET, fitting
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall

STILL_RUNNING = '{"status": "still running"}'
"""What a model is told of a tool that has not returned yet."""


class History:
    """The conversation so far, oldest first.

    Each call of a tool is followed by what it returned before anything else is: a model's interface refuses a history
    in which a call has no answer.
    """

    def __init__(self, instructions: str = "", budget: int = BUDGET) -> None:
        self._system = (Message(Role.SYSTEM, instructions),) if instructions else ()
        self._budget = budget
        self._entries: list[Message] = []

    def user(self, text: str) -> None:
        """A turn of the caller is over."""
        self._entries.append(Message(Role.USER, text))

    def agent(self, text: str) -> None:
        """The caller has heard this of us. Nothing heard, nothing kept."""
        if text:
            self._entries.append(Message(Role.ASSISTANT, text))

    def tools(self, calls: tuple[ToolCall, ...], said: str = "") -> None:
        """The model has asked for these tools, and they run. `said` is what the caller has heard of the words before
        the calls; words that are still being played come later, through `agent`.
        """
        self._entries.append(Message(Role.ASSISTANT, said, calls=calls))
        self._entries += (Message(Role.TOOL, STILL_RUNNING, answers=call.id) for call in calls)

    def returned(self, call_id: str, text: str) -> None:
        """What the model is told of a call of `tools`, wherever the conversation has gone meanwhile. The last word
        counts.
        """
        answer = Message(Role.TOOL, text, answers=call_id)
        same = [
            index for index, entry in enumerate(self._entries) if entry.role is Role.TOOL and entry.answers == call_id
        ]
        self._entries[same[-1]] = answer

    def retract_user(self) -> None:
        """The caller's last turn was not over after all. Tools that it led to have run, and stay."""
        for index in range(len(self._entries) - 1, -1, -1):
            if self._entries[index].role is Role.USER:
                del self._entries[index]
                return

    @property
    def last_heard(self) -> str:
        """What the caller has heard of us last; "" before the first words."""
        said = (entry.text for entry in reversed(self._entries) if entry.role is Role.ASSISTANT and entry.text)
        return next(said, "")

    def count(self, role: Role) -> int:
        """How many turns with words one side has had."""
        return sum(entry.role is role and bool(entry.text) for entry in self._entries)

    def messages(self, user: str | None) -> tuple[Message, ...]:
        """What a language model is asked with: the instructions, the newest turns, and `user`, which is not part of
        the history yet. None: nobody has said anything new, but tools have returned.
        """
        new = () if user is None else (Message(Role.USER, user),)
        return fitting((*self._system, *self._entries, *new), self._budget)
