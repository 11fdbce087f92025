"""What a voice says of a text that was written for the eye."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offhook.conversation.speakable import speakable


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("**Bold** and *it* and `code`", "Bold and it and code"),
        ("2 * 3 and 2*3", "2 * 3 and 2*3"),
        ("# Title\n- one\n- two!\n", "Title. one. two!"),
        ("1. one\n2. two", "1. one. 2. two"),
        ("[our page](https://x.y/z 'hm') is up", "our page is up"),
        ("![a cat](cat.png)", "a cat"),
        ("See https://www.example.com/path?x=1.", "See example.com."),
        ("<mailto:me@x.org>", "me@x.org"),
        ("Before ```py\nx = 1\n``` after", "Before after"),
        ("Before ```py\nx = 1", "Before"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b. 1, 2"),
        ("snake_case _em_ __b__ AT&T", "snake_case em b AT&T"),
        ("a &lt;b&gt;c&lt;/b&gt; &amp; d", "a c & d"),
        ("5 < 6 > 4", "5 < 6 > 4"),
        ("Done ✅ 👍🏽 🇩🇪 1️⃣, at 20°", "Done 1, at 20°"),
        ("one\n\n---\n\ntwo", "one. two"),
        ("> quoted", "quoted"),
        ("What?\nYes", "What? Yes"),
        ("🎉", ""),
        ("a\x00b", "a b"),
    ],
)
def test_speakable(written: str, said: str) -> None:
    assert speakable(written) == said


MARKUP = st.lists(
    st.sampled_from(
        [
            *str.split("# * _ ` | > < - ~ [ ] ( ) & ; / . a B 1 ! \n 👍", " "),
            " ",
            "```",
            "---",
            "https://",
            "&amp;",
            "&lt;",
            "b>",
            "\n",
        ]
    )
).map("".join)


@given(MARKUP | st.text())
def test_it_never_fails_and_twice_is_once(text: str) -> None:
    said = speakable(text)
    assert speakable(said) == said
    assert said == " ".join(said.split())


@pytest.mark.parametrize("piece", ["-", "|", "`", "*", "[", "<a", " \t", "&amp;", "http://", "> "])
def test_long_runs_of_markup_take_no_long_time(piece: str) -> None:
    speakable(piece * 500 + "x")
