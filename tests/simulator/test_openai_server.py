"""The local server is as strict as OpenAI's, keeps its stated times, fails on order and writes everything down."""

import asyncio
import base64
import io
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_kit import KEY

from offhook.audio import wav
from offhook.providers.scripted import hum
from offhook.simulator.openai_server import Fault, LocalOpenAI, Pace, Script, Stage, ToolUse, Trouble, Turn, multipart
from polling import until

Story = Callable[[openai.AsyncOpenAI, LocalOpenAI], Awaitable[None]]
HELLO: Any = [{"role": "user", "content": "hello there"}]


def tell(story: Story, script: Script | None = None) -> None:
    """With the real SDK, as a user has it."""

    async def told() -> None:
        async with LocalOpenAI(script) as server:
            client = openai.AsyncOpenAI(api_key=KEY, base_url=server.base_url, max_retries=0, http_client=PLAIN())
            await story(client, server)
            await client.close()

    asyncio.run(told())


def PLAIN() -> Any:  # noqa: N802
    return openai.DefaultAsyncHttpxClient(verify=False)


def sound(seconds: float, rate: int = 16_000) -> bytes:
    return wav.write(rate, np.full(round(rate * seconds), 1_000, np.int16))


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.binary(max_size=200), max_size=5))
def test_a_form_is_read_as_it_was_written(fields: dict[str, bytes]) -> None:
    edge = "fq8hf4q3h98fh34"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}.wav"\r\n\r\n'.encode() + content
        for name, content in fields.items()
    ]
    body = b"".join(part + b"\r\n" for part in parts) + f"--{edge}--\r\n".encode()
    found = multipart.parse(f"multipart/form-data; boundary={edge}", body)
    assert found == [multipart.Part(name, f"{name}.wav", content) for name, content in fields.items()]


@given(st.text(max_size=40), st.binary(max_size=200))
def test_what_is_no_form_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError, match="form"):
        multipart.parse(content_type, body)
    with pytest.raises(ValueError, match="form"):
        multipart.parse("multipart/form-data; boundary=abcdefgh", body)


@pytest.mark.parametrize(
    ("file", "model", "status", "code"),
    [
        (("turn.wav", sound(0.099)), "whisper-1", 400, "audio_too_short"),
        (("turn", sound(1)), "whisper-1", 400, None),
        (("turn.wav", b"RIFF no sound"), "whisper-1", 400, None),
        (("turn.wav", bytes(16_000)), "whisper-1", 400, None),
        (("turn.wav", sound(1)), "whisper-9", 404, "model_not_found"),
    ],
)
def test_bad_audio_is_refused_as_openai_does(file: Any, model: str, status: int, code: str | None) -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        with pytest.raises(openai.APIStatusError) as raised:
            await client.audio.transcriptions.create(file=file, model=model)
        assert (raised.value.status_code, raised.value.code) == (status, code)

    tell(story)


def test_a_transcript_may_depend_on_what_is_heard() -> None:
    def hear(rate: int, samples: Any) -> str:
        return f"{len(samples) / rate} s at {samples.max()}"

    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        buffer = io.BytesIO(sound(0.5, 8_000))
        found = await client.audio.transcriptions.create(file=("a.wav", buffer), model="whisper-1", language="en")
        assert found.text == "0.5 s at 1000"
        stream: Any = await client.audio.transcriptions.create(
            file=("a.wav", sound(0.25)), model="gpt-4o-transcribe", stream=True
        )
        events = [event async for event in stream]
        assert [event.delta for event in events[:-1]] == ["0.25", " s", " at", " 1000"]
        assert (events[-1].type, events[-1].text) == ("transcript.text.done", "0.25 s at 1000")
        assert [request.asked["seconds"] for request in server.requests] == [0.5, 0.25]

    tell(story, Script(transcripts=hear))


def test_the_sdk_reads_a_reply_with_parallel_tools_and_usage() -> None:
    tools = (ToolUse("look", '{"where": "under the bed"}'), ToolUse("ask", '{"whom": "me"}'))

    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        stream: Any = await client.chat.completions.create(
            model="gpt-4o", messages=HELLO, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
        assert chunks[-1].choices == []
        assert chunks[-1].usage.prompt_tokens == 2
        arguments = ["", ""]
        for chunk in chunks[:-1]:
            for call in chunk.choices[0].delta.tool_calls or []:
                arguments[call.index] += call.function.arguments
        assert arguments == [tool.arguments for tool in tools]
        assert chunks[-2].choices[0].finish_reason == "tool_calls"

    tell(story, Script(replies=[Turn("Well.", tools)]))


def test_the_sdk_reads_a_response() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        stream: Any = await client.responses.create(model="gpt-4o", input=HELLO, stream=True)
        events = [event async for event in stream]
        text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        assert text == "Well then."
        assert events[-2].item.arguments == '{"a": 1}'
        assert events[-1].response.usage.input_tokens == 2

    tell(story, Script(replies=[Turn("Well then.", (ToolUse("look", '{"a": 1}'),))]))


def test_replies_go_on_with_the_conversation() -> None:
    script = Script(replies=["one", "two", "three"])
    user: Any = {"role": "user"}
    result: Any = {"role": "assistant", "tool_calls": [1]}
    conversations = [[user], [user], [user, user], [user, result], [user] * 9]
    assert [script.answer(each).text for each in conversations] == ["one", "one", "two", "two", "three"]


def test_speech_has_known_words_in_odd_pieces_and_a_limit() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        create = client.audio.speech.with_streaming_response.create
        async with create(model="tts-1", voice="nova", input="good day", response_format="pcm") as response:
            pieces = [piece async for piece in response.iter_bytes()]
        assert b"".join(pieces) == hum("good", 24_000, 0.2) + hum("day", 24_000, 0.2)
        assert any(len(piece) % 2 for piece in pieces)
        for wrong in ({"input": "a" * 4_097}, {"voice": "nobody"}, {"speed": 9}, {"input": ""}):
            asked: Any = {"model": "tts-1", "voice": "nova", "input": "x", "response_format": "pcm"} | wrong
            with pytest.raises(openai.BadRequestError):
                await client.audio.speech.create(**asked)

    tell(story, Script(word_seconds=0.2, speech=Pace(then=0.001)))


def test_speech_at_real_time_pace_takes_its_time() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        await client.audio.speech.create(model="tts-1", voice="nova", input="a b", response_format="pcm")
        await until(lambda: not server.requests.running)
        request = server.requests[0]
        assert request.first is not None
        assert request.ended is not None
        assert 0.18 <= (request.ended - request.first) / 1e6 < 0.6

    tell(story, Script(word_seconds=0.1, realtime_voice=True))


def test_delays_are_kept_and_tails_are_seeded() -> None:
    pace = Pace(first=0.03, tail=0.05, often=0.5)

    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        for _ in range(8):
            stream: Any = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
            assert [chunk async for chunk in stream]
        for request in server.requests:
            assert request.first is not None
            times.append((request.first - request.began) / 1e6)

    times: list[float] = []
    tell(story, Script(reply=pace, seed=5))
    tell(story, Script(reply=pace, seed=5))
    assert min(times) >= 0.03
    late = [time >= 0.08 for time in times]
    assert late[:8] == late[8:]
    assert 0 < sum(late) < 16


def test_a_client_that_leaves_is_noticed_at_once() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        with pytest.raises(openai.APITimeoutError):
            await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True, timeout=0.05)
        await until(lambda: not server.requests.running)
        request = server.requests[0]
        assert request.cancelled
        assert request.ended is not None
        assert 0.04 < (request.ended - request.began) / 1e6 < 0.12

    tell(story, Script(reply=Pace(9)))


def test_faults_come_at_the_requests_they_are_meant_for() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        seen = []
        for _ in range(5):
            try:
                stream: Any = await client.chat.completions.create(model="gpt-4o", messages=HELLO, stream=True)
                seen.append(str(len([chunk async for chunk in stream])))
            except openai.APIStatusError as error:
                seen.append(f"{error.status_code} {error.response.headers.get('retry-after')}")
            except openai.APIConnectionError:
                seen.append("lost")
        assert seen == ["3", "429 3", "500 None", "lost", "lost"]
        assert [request.status for request in server.requests] == [200, 429, 500, 0, 200]

    faults = [
        Fault(Stage.CHAT, Trouble.OVERLOADED, (2,), seconds=3),
        Fault(Stage.CHAT, Trouble.BROKEN, (3,)),
        Fault(Stage.CHAT, Trouble.REFUSE, (4,)),
        Fault(Stage.CHAT, Trouble.CLOSE, (5,), after=2),
    ]
    tell(story, Script(faults=faults))


def test_keys_and_models_are_checked() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="wrong").models.list()
        names = [model.id async for model in client.models.list()]
        assert "whisper-1" in names
        assert (await client.models.retrieve("tts-1")).id == "tts-1"
        with pytest.raises(openai.NotFoundError):
            await client.models.retrieve("nothing")
        with pytest.raises(openai.BadRequestError, match="only streams"):
            await client.chat.completions.create(model="gpt-4o", messages=HELLO)

    tell(story, Script(key=KEY))


SESSION: Any = {
    "type": "transcription",
    "audio": {
        "input": {
            "format": {"type": "audio/pcmu"},
            "transcription": {"model": "gpt-4o-transcribe"},
            "turn_detection": None,
        }
    },
}


def test_errors_leave_a_realtime_session_open() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        connecting: Any = client.realtime.connect(extra_query={"intent": "transcription"})
        async with connecting as connection:
            wrong = {"type": "transcription", "audio": {"input": SESSION["audio"]["input"] | {"turn_detection": {}}}}
            events: list[Any] = [await connection.recv()]
            for session in (wrong, {"type": "realtime"}, SESSION):
                await connection.session.update(session=session)
                events.append(await connection.recv())
            await connection.input_audio_buffer.commit(event_id="mine")
            events.append(await connection.recv())
            await connection.input_audio_buffer.append(audio="no base64")
            events.append(await connection.recv())
            assert [event.type for event in events] == [
                "session.created",
                "error",
                "error",
                "session.updated",
                "error",
                "error",
            ]
            assert (events[4].error.code, events[4].error.event_id) == ("input_audio_buffer_commit_empty", "mine")
            items = []
            for _ in range(2):
                await connection.input_audio_buffer.append(audio=base64.b64encode(b"\x20" * 1_000).decode())
                await connection.input_audio_buffer.commit()
                items.append(await connection.recv())
            assert items[0].previous_item_id is None
            assert items[1].previous_item_id == items[0].item_id
            last = [(event.item_id, event.type) for event in [await connection.recv() for _ in range(4)]]
            assert [item for item, kind in last if kind.endswith("completed")] == [items[1].item_id, items[0].item_id]

    tell(story, Script(transcripts=["a", "b"], scrambled=True))


def test_a_realtime_session_expires() -> None:
    async def story(client: openai.AsyncOpenAI, server: LocalOpenAI) -> None:
        async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
            assert (await connection.recv()).type == "session.created"
            error: Any = await connection.recv()
            assert error.error.code == "session_expired"
            assert [event async for event in connection] == []
        assert server.requests[0].ended is not None

    tell(story, Script(expiry=0.05))
