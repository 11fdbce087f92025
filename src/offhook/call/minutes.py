"""What was said in a call: put down for the model and told to whoever follows the call."""

from offhook.call.outputs import AgentSaid, NoteSpeech, Output, UserSaid
from offhook.conversation.history import History
from offhook.conversation.messages import Message, Role


class Minutes:
    """The caller's turns as transcribed, ours as heard."""

    def __init__(self, history: History, out: list[Output], *, speech: bool) -> None:
        self.history = history
        self._out = out
        self._speech = speech

    def user(self, words: str, *, aloud: bool = True) -> None:
        """The caller said this, `aloud` or by other means, which a speech model does not hear of."""
        self.history.user(words)
        self._out.append(UserSaid(words))
        if self._speech and not aloud:
            self._out.append(NoteSpeech(Message(Role.USER, words)))

    def agent(self, words: str, *, complete: bool, aloud: bool = False) -> None:
        """The caller heard this of us; `aloud`: a speech model said it."""
        if not words:
            return
        self.history.agent(words)
        self._out.append(AgentSaid(words, complete))
        if self._speech and not aloud:
            self._out.append(NoteSpeech(Message(Role.ASSISTANT, words)))
