"""The ear of a call over OpenAI's wire: a turn in pieces, a connection that is lost, words before the commit."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest
from kit import recognise, speech
from live_openai import LiveOpenAI
from openai_kit import KEY

from offhook.audio import mulaw
from offhook.audio.ring import CallerAudio
from offhook.call.inputs import Input, TranscriptArrived
from offhook.conversation.expectation import Expectation
from offhook.errors import Failure
from offhook.providers.interfaces import StreamingTranscriber, Utterance
from offhook.providers.openai_client import OpenAIError
from offhook.providers.transcribers.openai_realtime import RealtimeTranscriber
from offhook.runtime.streaming import CallEar
from offhook.simulator.openai_server import Fault, LocalOpenAI, Script, Stage, Trouble
from polling import until


def words(rate: int, samples: object) -> str:
    """What a server says that understands `speech`."""
    assert rate == 8_000
    return recognise(Utterance(mulaw.encode(samples), Expectation())).text  # type: ignore[arg-type]


class Track:
    """What a caller says, at once; and an ear on it."""

    def __init__(self, server: LocalOpenAI, timeout: float, renewal: float) -> None:
        self.server = server
        self.told: list[str] = []
        self.transcriber = RealtimeTranscriber(
            "gpt-4o-transcribe", api_key=KEY, base_url=server.base_url, timeout=timeout, renewal=renewal
        )
        self.ear = CallEar(self.transcriber, "en", self._deliver)
        self.audio = CallerAudio()
        self.hear(mulaw.SILENCE * 8_000)

    def _deliver(self, event: Input) -> None:
        assert isinstance(event, TranscriptArrived)
        self.told.append(event.text)

    def hear(self, audio: bytes) -> None:
        for at in range(0, len(audio), 160):
            self.audio.write(self.audio.end, audio[at : at + 160])
            self.ear.heard()

    def say(self, text: str, request: int, start: int | None = None) -> int:
        """Words, listened to from 320 ms before them: where the turn begins."""
        since = self.audio.end - 2_560
        begins = since if start is None else start
        self.ear.listen(self.audio, request, begins, since)
        self.hear(speech(text).mulaw)
        self.hear(mulaw.SILENCE * 800)
        return begins

    async def transcript(self, start: int) -> str:
        way = self.ear.transcribe(start, self.audio.end)
        assert way is not None
        last = [transcript async for transcript in way()][-1]
        assert last.final
        return last.text

    @property
    def commits(self) -> list[list[float]]:
        return [request.asked.get("commits", []) for request in self.server.requests.of(Stage.REALTIME)]


def tell(
    story: Callable[[Track], Awaitable[None]],
    faults: Sequence[Fault] = (),
    *,
    live: bool = False,
    key: str = "",
    renewal: float = 60.0,
) -> None:
    async def told() -> None:
        script = Script(transcripts=words, faults=faults, key=key)
        async with LiveOpenAI(script) if live else LocalOpenAI(script) as server:
            track = Track(server, 2.0, renewal)
            track.ear.open()
            await story(track)
            await track.ear.aclose()
            await track.transcriber.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(told())


def test_it_listens() -> None:
    assert isinstance(RealtimeTranscriber(api_key=KEY), StreamingTranscriber)


def test_a_call_has_one_connection_and_a_turn_that_goes_on_is_committed_piece_by_piece() -> None:
    async def story(track: Track) -> None:
        start = track.say("book a room", 1)
        assert await track.transcript(start) == "book a room"
        track.hear(mulaw.SILENCE * 4_000)
        track.say("today please", 2, start)
        assert await track.transcript(start) == "book a room today please"
        track.hear(mulaw.SILENCE * 8_000)
        assert await track.transcript(track.say("yes", 3)) == "yes"
        (commits,) = track.commits
        # From the pre-roll, or from where the last piece ended, to the end of the pause.
        assert commits == pytest.approx([0.32 + 3 * 0.28 + 0.1, 0.32 + 2 * 0.28 + 0.1, 0.32 + 0.28 + 0.1])

    tell(story)


def test_words_are_known_before_the_commit() -> None:
    async def story(track: Track) -> None:
        start = track.say("book a room", 1)
        await until(lambda: track.told[-1:] == ["book a room"])
        assert track.commits == [[]]
        assert await track.transcript(start) == "book a room"

    tell(story, live=True)


@pytest.mark.parametrize("live", [False, True])
def test_no_word_is_lost_or_doubled_when_the_connection_is(live: bool) -> None:
    """It is cut at the first commit, and the caller goes on before anybody knows what they said."""

    async def story(track: Track) -> None:
        start = track.say("book a room", 1)
        assert track.ear.transcribe(start, track.audio.end) is not None
        await until(lambda: len(track.server.requests) == 2)
        track.hear(mulaw.SILENCE * 4_000)
        track.say("today please", 2, start)
        assert await track.transcript(start) == "book a room today please"
        assert [len(each) for each in track.commits] == [1, 2]

    tell(story, [Fault(Stage.REALTIME, Trouble.CLOSE, requests=(1,))], live=live)


def test_an_old_connection_is_replaced_between_two_turns() -> None:
    async def story(track: Track) -> None:
        for number, text in enumerate(["book a room", "today please"], start=1):
            assert await track.transcript(track.say(text, number)) == text
            track.hear(mulaw.SILENCE * 8_000)
            await until(lambda count=number: len(track.commits) > count)  # type: ignore[misc]
        assert [len(each) for each in track.commits[:2]] == [1, 1]

    tell(story, renewal=0.05)


def test_noise_is_cleared_and_not_committed() -> None:
    async def story(track: Track) -> None:
        track.say("cough", 1)
        await until(lambda: bool(track.server.requests and track.server.requests[0].asked.get("bytes")))
        track.ear.cancel(1)
        await asyncio.sleep(0)
        track.hear(mulaw.SILENCE * 8_000)
        assert await track.transcript(track.say("yes", 2)) == "yes"
        assert track.commits == [pytest.approx([0.7])]

    tell(story)


def test_a_session_that_cannot_be_had_fails_the_transcript_and_nothing_else() -> None:
    async def story(track: Track) -> None:
        for number in (1, 2):
            start = track.say("yes", number)
            with pytest.raises(OpenAIError) as raised:
                await track.transcript(start)
            assert raised.value.kind is Failure.REFUSED
            track.hear(mulaw.SILENCE * 8_000)

    tell(story, key="another")
