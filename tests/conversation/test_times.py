"""Answers about time: days, times of day, durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.days import Day
from offhook.conversation.durations import HowLong
from offhook.conversation.times import TimeOfDay


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("2:30 PM", "14:30"),
        ("two thirty p m", "14:30"),
        ("At 2.30pm, please.", "14:30"),
        ("half past two", "14:30"),
        ("14 30", "14:30"),
        ("1430", "14:30"),
        ("fourteen hundred", "14:00"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("12 am", "00:00"),
        ("at three", "15:00"),
        ("Three o’clock.", "15:00"),
        ("nine oh five a.m.", "09:05"),
        ("a quarter to one", "12:45"),
        ("ten past nine", "09:10"),
        ("seven in the evening", "19:00"),
        ("seven", "07:00"),
        ("six", "18:00"),
        ("02:30", "02:30"),
        ("one two three", None),
        ("five five", None),
        ("two nine three four zero", None),
        ("25:00", None),
        ("14 am", None),
        ("three o'clock thirty", None),
    ],
)
def test_times_of_day(said: str, value: str | None) -> None:
    assert TimeOfDay().parse(said) == value


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 23))
def test_every_time_is_understood_when_read_back(hour: int, minute: int, earliest: int) -> None:
    value = f"{hour:02}:{minute:02}"
    answer = TimeOfDay(earliest)
    assert answer.parse(answer.read_back(value)) == value
    assert answer.parse(value.replace(":", " ") + (" am" if hour < 12 else " pm")) == value


@given(st.integers(1, 12), st.integers(0, 23))
def test_a_bare_hour_is_the_next_from_the_earliest_on(hour: int, earliest: int) -> None:
    found = TimeOfDay(earliest).parse(f"at {hour}")
    assert found is not None
    assert (int(found[:2]) - earliest) % 24 < 12
    assert int(found[:2]) % 12 == hour % 12


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Today.", "today"),
        ("tonight", "today"),
        ("tomorrow morning", "tomorrow"),
        ("the day after tomorrow", "day after tomorrow"),
        ("on Friday", "friday"),
        ("next Monday", "next monday"),
        ("March third", "03-03"),
        ("the 3rd of March", "03-03"),
        ("3 March", "03-03"),
        ("friday march twenty-first", "03-21"),
        ("the fifteenth", "15"),
        ("february thirtieth", None),
        ("march", None),
        ("fifteen", None),
        ("tomorrow evening", None),
        ("not today", None),
    ],
)
def test_days(said: str, value: str | None) -> None:
    assert Day().parse(said) == value


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("half an hour", "30"),
        ("30 minutes", "30"),
        ("ninety minutes", "90"),
        ("2 hours", "120"),
        ("an hour and a half", "90"),
        ("one and a half hours", "90"),
        ("1.5 hours", "90"),
        ("1 hour 30 minutes", "90"),
        ("1h", "60"),
        ("three quarters of an hour", "45"),
        ("for about an hour, I think", "60"),
        ("thirty", "30"),
        ("two", None),
        ("hours", None),
        ("zero minutes", None),
        ("two hours and three hours", None),
    ],
)
def test_durations(said: str, value: str | None) -> None:
    assert HowLong().parse(said) == value


@given(st.integers(1, 24 * 60))
def test_every_duration_is_understood_when_read_back(minutes: int) -> None:
    answer = HowLong()
    assert answer.parse(answer.read_back(str(minutes))) == str(minutes)
