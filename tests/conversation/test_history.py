"""What is remembered of a conversation, and that a model's interface accepts it."""

import hypothesis.strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from offhook.conversation.history import STILL_RUNNING, History
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall


def call(name: str) -> ToolCall:
    return ToolCall(name, "look_up", "{}")


def seen(history: History, user: str | None = None) -> list[tuple[str, str]]:
    return [(message.role.value, message.text) for message in history.messages(user)]


def test_the_instructions_come_first_and_the_new_turn_last() -> None:
    history = History("Be brief.")
    history.agent("Hello.")
    history.user("Hi.")
    history.agent("")
    assert seen(history, "And?") == [
        ("system", "Be brief."),
        ("assistant", "Hello."),
        ("user", "Hi."),
        ("user", "And?"),
    ]
    assert seen(history)[-1] == ("user", "Hi.")


def test_a_tool_that_has_not_returned_is_said_to_run() -> None:
    history = History()
    history.user("Is there a room?")
    history.tools((call("a"), call("b")))
    history.agent("Let me see.")
    history.returned("b", "two rooms")
    assert seen(history) == [
        ("user", "Is there a room?"),
        ("assistant", ""),
        ("tool", STILL_RUNNING),
        ("tool", "two rooms"),
        ("assistant", "Let me see."),
    ]


def test_a_late_result_goes_where_it_belongs_and_the_last_word_counts() -> None:
    history = History()
    history.tools((call("a"),), "One moment.")
    history.user("Are you there?")
    history.returned("a", "timed out")
    history.returned("a", "a room")
    assert seen(history) == [("assistant", "One moment."), ("tool", "a room"), ("user", "Are you there?")]


def test_a_retracted_turn_leaves_the_tools_that_ran() -> None:
    history = History()
    history.user("Book it.")
    history.tools((call("a"),))
    history.retract_user()
    history.user("Book it for Monday.")
    assert [role for role, _ in seen(history)] == ["assistant", "tool", "user"]
    history.retract_user()
    history.retract_user()
    assert history.count(Role.USER) == 0


def test_turns_are_counted_by_their_words() -> None:
    history = History("Be brief.")
    history.user("Hi.")
    history.tools((call("a"),))
    history.agent("Hello.")
    assert (history.count(Role.USER), history.count(Role.ASSISTANT)) == (1, 1)


def test_a_long_call_is_cut() -> None:
    history = History("Be brief.", budget=100)
    for number in range(100):
        history.user(f"Question {number}?")
        history.tools((call(f"c{number}"),))
        history.returned(f"c{number}", "result")
        history.agent("An answer.")
    assert seen(history, "Last?")[1] == ("system", "Earlier turns were left out.")
    assert len(history.messages("Last?")) < 20


def accepted(messages: tuple[Message, ...]) -> None:
    """OpenAI's rule: "An assistant message with 'tool_calls' must be followed by tool messages responding to each
    'tool_call_id'", and no tool message may stand anywhere else."""
    owed: list[str] = []
    for message in messages:
        if message.role is Role.TOOL:
            assert message.answers in owed
            owed.remove(message.answers)
            continue
        assert not owed
        owed = [each.id for each in message.calls]
    assert not owed


class AnyConversation(RuleBasedStateMachine):
    """Whatever happens, in whatever order."""

    used = Bundle("used")
    words = st.sampled_from(["Yes.", "A sentence of some length, as people say them.", ""])

    def __init__(self) -> None:
        super().__init__()
        self.history = History("Be brief.", budget=60)
        self.results: dict[str, str] = {}

    @rule(text=words)
    def user(self, text: str) -> None:
        self.history.user(text)

    @rule(text=words)
    def agent(self, text: str) -> None:
        self.history.agent(text)

    @rule(target=used, count=st.integers(1, 3), said=words)
    def tools(self, count: int, said: str) -> object:
        ids = [f"c{len(self.results) + index}" for index in range(count)]
        self.results |= dict.fromkeys(ids, STILL_RUNNING)
        self.history.tools(tuple(map(call, ids)), said)
        return multiple(*ids)

    @rule(call_id=used, text=words)
    def returned(self, call_id: str, text: str) -> None:
        self.results[call_id] = text
        self.history.returned(call_id, text)

    @rule()
    def retract(self) -> None:
        self.history.retract_user()

    @invariant()
    def it_can_be_sent(self) -> None:
        for user in (None, "So?"):
            messages = self.history.messages(user)
            accepted(messages)
            assert all(message.text == self.results[message.answers] for message in messages if message.answers)
            assert user is None or messages[-1] == Message(Role.USER, user)


TestAnyConversation = AnyConversation.TestCase
