"""How much of a conversation a model is shown."""

from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.context import LEFT_OUT, fitting, tokens
from offhook.conversation.messages import Message, Role
from offhook.conversation.tools import ToolCall

SYSTEM = Message(Role.SYSTEM, "Be brief.")


def said(role: Role, words: str = "word " * 20) -> Message:
    return Message(role, words)


def turns(count: int) -> tuple[Message, ...]:
    return tuple(said(role, f"{number:03} " * 40) for number in range(count) for role in (Role.USER, Role.ASSISTANT))


def size(messages: tuple[Message, ...]) -> int:
    return sum(map(tokens, messages))


def test_what_fits_is_shown_as_it_is() -> None:
    greeted = (SYSTEM, said(Role.ASSISTANT), *turns(3))
    assert fitting(greeted, size(greeted)) is greeted
    assert fitting((), 0) == ()


def test_the_oldest_turns_are_left_out_and_it_is_said() -> None:
    everything = (SYSTEM, said(Role.ASSISTANT), *turns(10))
    shown = fitting(everything, size(turns(9)))
    assert shown[:2] == (SYSTEM, LEFT_OUT)
    assert shown[2].role is Role.USER
    assert shown[2:] == everything[-len(shown) + 2 :]
    assert size(shown[2:]) <= size(turns(9))


def test_the_newest_turn_is_shown_however_long_it_is() -> None:
    last = said(Role.USER, "long " * 1_000)
    assert fitting((SYSTEM, *turns(5), last), 10) == (SYSTEM, LEFT_OUT, last)
    assert fitting((SYSTEM, last), 10) == (SYSTEM, last)
    assert fitting((last,), 10) == (last,)


def test_instructions_take_nothing_from_the_turns() -> None:
    long = said(Role.SYSTEM, "rule " * 10_000)
    assert fitting((long, *turns(3)), size(turns(3))) == (long, *turns(3))


def test_a_tool_stays_with_the_turn_that_asked_for_it() -> None:
    call = ToolCall("c1", "book", '{"day": "Monday"}')
    asked = (said(Role.USER), Message(Role.ASSISTANT, "", (call,)), Message(Role.TOOL, "done", answers="c1"))
    shown = fitting((SYSTEM, *turns(4), *asked, said(Role.ASSISTANT)), 200)
    assert call in {each for message in shown for each in message.calls}
    shown = fitting((SYSTEM, *asked, *turns(4)), size(turns(4)))
    assert not any(message.calls or message.answers for message in shown)


def test_the_beginning_stays_the_same_for_many_turns() -> None:
    """So that the provider's prompt cache knows it."""
    long, budget = turns(400), size(turns(40))
    beginnings = {fitting((SYSTEM, *long[: 2 * count]), budget)[2] for count in range(41, 400)}
    assert len(beginnings) <= 1 + 4 * 360 // 40


roles = st.sampled_from([Role.USER, Role.ASSISTANT])
conversations = st.lists(st.builds(Message, roles, st.text(max_size=200)), max_size=40).map(tuple)


@given(conversations, st.integers(0, 500), st.booleans())
def test_what_is_shown_is_the_newest_part_and_fits(talk: tuple[Message, ...], budget: int, instructed: bool) -> None:
    system = (SYSTEM,) if instructed else ()
    shown = fitting((*system, *talk), budget)
    assert shown[: len(system)] == system
    if shown == (*system, *talk):
        newest = max((index for index, message in enumerate(talk) if message.role is Role.USER), default=0)
        assert size(talk) <= budget or newest == 0
        return
    note, *kept = shown[len(system) :]
    assert note is LEFT_OUT
    assert tuple(kept) == talk[-len(kept) :]
    assert kept[0].role is Role.USER
    assert size(tuple(kept)) <= budget or all(message.role is not Role.USER for message in kept[1:])
