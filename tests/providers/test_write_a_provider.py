"""The how-to's examples, run from top to bottom: what it says of them is so."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from offhook.audio import mulaw
from offhook.conversation.expectation import Expectation
from offhook.providers.interfaces import LanguageModel, SpokenWord, StreamingTranscriber, Transcriber, Utterance, Voice
from offhook.simulator.conformance import CHECKS, Streamed, Subject, run
from offhook.simulator.conformance.suite import Check

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-provider.md").read_text(encoding="utf-8")
NAMES: dict[str, Any] = {"__name__": "write_a_provider"}
for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S):
    exec(compile(block, "write-a-provider.md", "exec"), NAMES)


async def said(voice: Any, text: str) -> list[Any]:
    return [item async for item in voice.speak(text)]


def test_each_is_what_the_page_says_it_is() -> None:
    assert isinstance(NAMES["AcmeVoice"]("acme-1"), Voice)
    assert isinstance(NAMES["WordyVoice"](), Voice)
    ear = NAMES["AcmeEar"]()
    assert isinstance(ear, Transcriber)
    assert isinstance(ear, StreamingTranscriber)
    assert not isinstance(ear, LanguageModel)


def test_the_voice_that_says_where_its_words_begin_is_right() -> None:
    items = asyncio.run(said(NAMES["WordyVoice"](), "Good morning  to you"))
    words = [(item, items[:at]) for at, item in enumerate(items) if isinstance(item, SpokenWord)]
    assert [word.word for word, _ in words] == [0, 1, 2, 3]
    for word, before in words:
        assert word.sample == sum(len(item) for item in before if isinstance(item, bytes)) // 2


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("make", [lambda: NAMES["AcmeEar"](), lambda: Streamed(NAMES["AcmeEar"]())])
def test_the_ear_that_listens_meanwhile_conforms(check: Check, make: Callable[[], Any]) -> None:
    run(check, lambda: Subject(make))


def test_a_turn_keeps_what_it_began_with() -> None:
    asked: list[Utterance] = []

    acme: Any = NAMES["AcmeEar"]

    class Ear(acme):  # type: ignore[misc]
        async def transcribe(self, utterance: Utterance) -> Any:
            asked.append(utterance)
            async for transcript in super().transcribe(utterance):
                yield transcript

    async def story() -> None:
        stream = Ear().listen("de")
        for word in ("red", "blue"):
            stream.expect(Expectation(keywords=(word,)))
            stream.append(mulaw.SILENCE * 80)
        for _ in range(2):
            stream.append(mulaw.SILENCE * 80)
            assert [each.final async for each in stream.transcripts(stream.commit())] == [True]

    asyncio.run(story())
    turns = [(len(each.mulaw), each.expectation.keywords, each.language) for each in asked]
    assert turns == [(240, ("red",), "de"), (80, ("blue",), "de")]
