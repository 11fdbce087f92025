"""Whatever the pauses, and however slow the providers: every word of the caller reaches the model once, in order."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kit import agent, asked, ears, speech, tell
from streams import ScriptedListener

from offhook.conversation.messages import Role
from offhook.providers.scripted import ScriptedModel
from offhook.simulator.caller import SimulatedCaller

NO_NODS = [
    "book",
    "room",
    "today",
    "two",
    "people",
    "please",
    "what",
    "about",
    "tomorrow",
    "one",
    "three",
    "four",
    "five",
    "operator",
    "repeat",
    "half",
    "hour",
]
"""Words that mean something wherever they are said."""
GAPS = (0.02, 0.06, 0.1, 0.15, 0.2, 0.3, 0.45, 0.7, 1.0, 1.5, 2.5, 4.0)
GREETINGS = ("Hello.", "Hello, what can I bring you today my dear friend?")
REPLY = "We have a large room with a window and a small room."

Said = list[tuple[str, float]]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    said=st.lists(st.tuples(st.sampled_from(NO_NODS), st.sampled_from(GAPS)), min_size=1, max_size=8),
    begin=st.sampled_from((0.0, 0.2, 0.5, 1.0)),
    transcript=st.sampled_from((0.05, 0.1, 0.2, 0.3, 0.6, 1.2)),
    first_token=st.sampled_from((0.1, 0.3, 1.0, 1.4)),
    streams=st.booleans(),
    speculate=st.booleans(),
    greeting=st.sampled_from(GREETINGS),
)
def test_no_word_is_lost_or_doubled(
    said: Said, begin: float, transcript: float, first_token: float, streams: bool, speculate: bool, greeting: str
) -> None:
    async def script(caller: SimulatedCaller) -> None:
        await caller.pause(begin)
        for word, gap in said:
            await caller.say(speech(word))
            await caller.pause(gap)
        await caller.listen_until_quiet(5)
        await caller.say(speech("goodbye"))
        await caller.pause(12)

    model = ScriptedModel([REPLY] * 50, first_token=first_token)
    stt = ScriptedListener(lag=0.2, delay=transcript) if streams else ears(transcript)
    tell(agent(stt=stt, llm=model, greeting=greeting, speculate=speculate), script)

    told = [message.text for message in max(asked(model), key=len) if message.role is Role.USER]
    assert " ".join(told).split() == [*(word for word, _ in said), "goodbye"]
