"""What was said in a call: put down for the model and told to whoever follows the call."""

from offhook.call.outputs import AgentSaid, Output, UserSaid
from offhook.conversation.history import History


class Minutes:
    """The caller's turns as transcribed, ours as heard."""

    def __init__(self, history: History, out: list[Output]) -> None:
        self.history = history
        self._out = out

    def user(self, words: str) -> None:
        """The caller said this."""
        self.history.user(words)
        self._out.append(UserSaid(words))

    def agent(self, words: str, *, complete: bool) -> None:
        """The caller heard this of us."""
        if words:
            self.history.agent(words)
            self._out.append(AgentSaid(words, complete))
