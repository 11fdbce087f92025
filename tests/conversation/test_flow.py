"""A flow from greeting to goodbye, by voice and by keypad, with everything that can go wrong between."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking import BOOKED, BOOKING, KEYED, SAID
from offhook.conversation.answers import Anything, Digits, OneOf, YesNo
from offhook.conversation.expectation import Answers
from offhook.conversation.flow import Flow
from offhook.conversation.flow_state import FlowState, FlowStep, Phase
from offhook.conversation.questions import Question
from offhook.errors import ConfigurationError

PHONE = Flow(
    greeting="Hello.",
    questions=(Question("number", "What is your number?", Digits(3)), Question("name", "And your name?", Anything())),
    done="Thank you, {name}.",
)


def after(*said: str, flow: Flow = BOOKING) -> FlowStep:
    """The step that follows when all this has been said."""
    step = flow.begin()
    for text in said:
        step = flow.heard(step.state, text)
    return step


# The straight way


def test_a_caller_books_a_room_by_voice() -> None:
    step = after(*SAID)
    assert (step.outcome, step.say, step.expects) == ("done", "Your room is booked. Goodbye.", None)
    assert step.state.answers == BOOKED


def test_a_caller_books_a_room_by_keypad() -> None:
    step = BOOKING.begin()
    for keys in KEYED:
        step = BOOKING.keyed(step.state, keys)
    assert (step.outcome, step.state.answers) == ("done", BOOKED)


def test_the_greeting_comes_with_the_first_question() -> None:
    assert BOOKING.begin().say == "Hello, this is the meeting room desk. How can I help you?"


def test_all_answers_are_read_back_together() -> None:
    assert after(*SAID[:-1]).say == (
        "So that is mountain view, today at two thirty p m, for half an hour, two people. Is that right?"
    )


def test_one_utterance_answers_several_questions() -> None:
    step = after("book a room in new york tomorrow", "half past two for two hours", "it's just me", "yes")
    assert step.outcome == "done"
    assert step.state.answers["city"] == "new york"
    assert step.state.answers["length"] == "120"


def test_an_answer_to_another_question_is_kept_and_the_question_asked_again() -> None:
    step = after("book a room", "tomorrow")
    assert step.state.answers["day"] == "tomorrow"
    assert step.say == "In which city?"


def test_an_earlier_answer_can_be_replaced_in_passing() -> None:
    step = after("book a room", "mountain view", "today", "actually tomorrow at three")
    assert step.state.answers["day"] == "tomorrow"
    assert step.state.answers["time"] == "15:00"


def test_each_step_says_what_it_expects() -> None:
    expected = [step.expects.answers for n in range(len(SAID)) if (step := after(*SAID[:n])).expects]
    assert expected == [
        Answers.CHOICE,
        Answers.CHOICE,
        Answers.DATE,
        Answers.TIME,
        Answers.DURATION,
        Answers.QUANTITY,
        Answers.YES_NO,
    ]


# Corrections


def test_no_asks_what_to_change_and_asks_only_that_again() -> None:
    step = after(*SAID[:-1], "no")
    assert step.state.phase is Phase.CORRECTING
    assert step.say.startswith("What should I change: the city, the day")
    step = BOOKING.heard(step.state, "the time")
    assert step.say == "At what time?"
    step = BOOKING.heard(step.state, "four")
    assert "today at four p m" in step.say
    assert step.state.phase is Phase.CONFIRMING


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("no, at three", {"time": "15:00"}),
        ("No, change the time to three", {"time": "15:00"}),
        ("no, new york", {"city": "new york"}),
        ("it's five people", {"people": "5"}),
        ("no, tomorrow at noon", {"day": "tomorrow", "time": "12:00"}),
        ("the number of people should be six", {"people": "6"}),
    ],
)
def test_a_correction_may_come_at_once(said: str, changed: dict[str, str]) -> None:
    step = after(*SAID[:-1], said)
    assert step.state.answers == BOOKED | changed
    assert step.state.phase is Phase.CONFIRMING


@pytest.mark.parametrize("said", ["the time is wrong", "no, the time", "change the time", "not quite, wrong time"])
def test_what_is_named_as_wrong_is_asked_again(said: str) -> None:
    assert after(*SAID[:-1], said).say == "At what time?"


def test_a_correction_that_could_be_two_things_is_not_guessed() -> None:
    step = after(*SAID[:-1], "no, three")
    assert step.state.answers == BOOKED
    assert step.outcome == ""


def test_a_correction_by_keypad() -> None:
    step = after(*SAID[:-1])
    for keys, say in (("2", "What should I change"), ("3", "At what time?"), ("1600", "So that is")):
        step = BOOKING.keyed(step.state, keys)
        assert step.say.startswith(say)
    assert step.state.answers["time"] == "16:00"


def test_nothing_to_change_after_all() -> None:
    assert after(*SAID[:-1], "no", "nothing", "yes").outcome == "done"


# Read-back


def test_spoken_digits_are_read_back() -> None:
    step = after("four one five", flow=PHONE)
    assert step.say == "I have four one five. Is that right?"
    assert step.state.answers == {}
    assert PHONE.heard(step.state, "yes").say == "And your name?"


def test_digits_that_were_misheard_are_asked_again_or_replaced_at_once() -> None:
    assert after("four one five", "no", flow=PHONE).say == "Then once more, please. What is your number?"
    assert after("four one five", "no, four one six", flow=PHONE).say == "I have four one six. Is that right?"


def test_keyed_digits_are_not_read_back() -> None:
    step = PHONE.keyed(PHONE.begin().state, "415")
    assert (step.say, step.state.answers) == ("And your name?", {"number": "415"})


def test_free_words_are_kept_as_they_are_and_braces_in_them_do_no_harm() -> None:
    step = PHONE.keyed(PHONE.begin().state, "415")
    assert PHONE.heard(step.state, "Ann {name}").say == "Thank you, Ann {name}."


# At any question


def test_repeat_says_the_question_again() -> None:
    step = after("book a room", "say that again")
    assert (step.say, step.state.failures) == ("In which city?", 0)
    assert BOOKING.keyed(step.state, "*").say == "In which city?"


@pytest.mark.parametrize(
    ("said", "outcome"),
    [("an operator, please", "operator"), ("goodbye", "goodbye"), ("no, that's all", "goodbye")],
)
@pytest.mark.parametrize("answered", range(len(SAID)))
def test_leaving_is_understood_everywhere(said: str, outcome: str, answered: int) -> None:
    step = after(*SAID[:answered], said)
    assert (step.outcome, step.expects, step.state.phase) == (outcome, None, Phase.ENDED)
    assert step.say != ""


def test_help_tells_what_can_be_said() -> None:
    say = after("book a room", "help").say
    assert "press one for mountain view" in say
    assert "operator" in say
    assert say.endswith("In which city?")


def test_zero_is_the_operator_where_it_is_no_answer() -> None:
    assert BOOKING.keyed(BOOKING.begin().state, "0").outcome == "operator"


def test_a_caller_who_asks_for_a_moment_gets_it() -> None:
    step = after("book a room", "hold on a second")
    assert (step.say, step.state.failures) == ("Of course, take your time.", 0)


@pytest.mark.parametrize("text", ["", "um", "…"])
def test_a_noise_changes_nothing_and_needs_no_reply(text: str) -> None:
    before = after("book a room")
    step = BOOKING.heard(before.state, text)
    assert (step.state, step.say, step.expects) == (before.state, "", before.expects)


def test_a_choice_may_be_called_like_a_command() -> None:
    flow = Flow("Hello.", (Question("wish", "What?", OneOf(("help", "sales"))),), done="So {wish}.")
    assert after("help", flow=flow).say == "So help."


# Failing


def test_retries_differ_name_the_keypad_and_end_politely() -> None:
    step = after("book a room")
    says = []
    while not step.outcome:
        step = BOOKING.heard(step.state, "", understood=False)
        says.append(step.say)
    assert step.outcome == "gave_up"
    assert len(set(says)) == len(says) == BOOKING.max_tries
    assert "press" in says[1]


def test_an_answer_makes_failures_forgotten() -> None:
    step = after("book a room", "blue cheese", "blue cheese", "new york", "blue cheese")
    assert (step.outcome, step.state.failures) == ("", 1)


def test_silence_asks_again_and_then_gives_up() -> None:
    step = BOOKING.begin()
    for say in ("Are you still there? How can I help you?", "I cannot hear you. I can book a room", "I am sorry"):
        step = BOOKING.silent(step.state)
        assert step.say.startswith(say)
    assert step.outcome == "gave_up"


def test_what_comes_after_the_end_changes_nothing() -> None:
    ended = after("goodbye").state
    quiet = FlowStep(ended, "", None, "goodbye")
    assert BOOKING.heard(ended, "hello") == BOOKING.keyed(ended, "1") == BOOKING.silent(ended) == quiet


SAYINGS = st.sampled_from([*SAID, *KEYED, "no", "the time", "at three", "new york", "four one five", "hold on", "blue"])
MOVES = st.lists(st.tuples(st.sampled_from(["heard", "keyed"]), SAYINGS | st.text(max_size=20)), max_size=15)


@given(st.sampled_from([BOOKING, PHONE]), MOVES)
def test_any_conversation_goes_on_or_ends(flow: Flow, moves: list[tuple[str, str]]) -> None:
    step = flow.begin()
    for move, said in moves:
        step = flow.heard(step.state, said) if move == "heard" else flow.keyed(step.state, said)
        assert (step.expects is None) == (step.outcome != "") == (step.state.phase is Phase.ENDED)
        for question in flow.questions:
            if question.id in step.state.answers and not isinstance(question.answer, Anything):
                value = step.state.answers[question.id]
                assert question.answer.parse(question.answer.read_back(value)) == value
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(step.state), type=FlowState) == step.state
    for _ in range(flow.max_tries):
        step = flow.silent(step.state)
    assert step.outcome != ""


def test_a_flow_travels_on_the_tape() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(BOOKING), type=Flow) == BOOKING


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"questions": ()}, "at least one question"),
        ({"questions": BOOKING.questions[:1] * 2}, "ids of their own"),
        ({"confirm": "So {town}?"}, "names {town}"),
        ({"done": "{city.upper}"}, "names {city.upper}"),
        ({"done": "{city!r}"}, "names {city}"),
        ({"confirm": "So {city?"}, "brace"),
        ({"check": "{city}"}, "may name value"),
        ({"max_tries": 0}, "max_tries"),
        ({"silence": ()}, "silence"),
        ({"questions": (Question("a", "?", YesNo()), Question("b", "?", YesNo(), name="A!"))}, "sound different"),
    ],
)
def test_a_flow_that_cannot_work_is_refused_when_it_is_written(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        msgspec.structs.replace(BOOKING, **changes)


@pytest.mark.parametrize(("name", "ask"), [("two words", "?"), ("", "?"), ("a", " ")])
def test_a_question_that_cannot_be_asked_is_refused(name: str, ask: str) -> None:
    with pytest.raises(ConfigurationError):
        Question(name, ask, YesNo())
