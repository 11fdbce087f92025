"""What has been said: the caller's turns as transcribed, ours as heard."""

from offhook.conversation.messages import Message, Role


class History:
    """The conversation so far, oldest first."""

    def __init__(self, instructions: str = "") -> None:
        self._instructions = instructions
        self._entries: list[Message] = []

    def user(self, text: str) -> None:
        """A turn of the caller is over."""
        self._entries.append(Message(Role.USER, text))

    def agent(self, text: str) -> None:
        """The caller has heard this of us. Nothing heard, nothing kept."""
        if text:
            self._entries.append(Message(Role.ASSISTANT, text))

    def retract_user(self) -> None:
        """The caller's last turn was not over after all."""
        for index in range(len(self._entries) - 1, -1, -1):
            if self._entries[index].role is Role.USER:
                del self._entries[index]
                return

    def count(self, role: Role) -> int:
        """How many turns one side has had."""
        return sum(entry.role is role for entry in self._entries)

    def messages(self, user: str) -> tuple[Message, ...]:
        """What a language model is asked with: the instructions, all turns, and `user`, which is not part of the
        history yet.
        """
        system = (Message(Role.SYSTEM, self._instructions),) if self._instructions else ()
        return (*system, *self._entries, Message(Role.USER, user))
