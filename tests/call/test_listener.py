"""What of the caller's audio is turned into text."""

from offhook.audio.events import CHUNK, Evidence
from offhook.call.config import CallConfig
from offhook.call.listening import Listener, Turn
from offhook.call.outputs import Listen, Output, Transcribe
from offhook.call.requests import Requests
from offhook.conversation.expectation import Expectation
from offhook.timebase import Instant, samples


def test_a_turn_that_goes_on_is_listened_to_without_a_gap() -> None:
    """Between two bursts of speech may lie a word that was too soft to be taken for speech."""
    out: list[Output] = []
    listener = Listener("inbound", CallConfig(streaming=True), Requests(), out)
    turn = Turn(16_000, 24_000)
    listener.listen(Instant(0), turn, 16_000, Expectation())
    listener.hear(Evidence("inbound", 25_600 - CHUNK, 0, 0.0, -60.0, 0.0, 0.0))
    listener.ask(Instant(0), turn, Expectation())
    listener.withdraw(turn)
    listener.listen(Instant(0), turn, 32_000, Expectation())
    first, asked, then = (it for it in out if isinstance(it, Listen | Transcribe))
    assert isinstance(asked, Transcribe)
    assert isinstance(first, Listen)
    assert isinstance(then, Listen)
    assert (first.since, asked.end) == (16_000 - samples(CallConfig().pre_roll), 25_600)
    assert (then.start, then.since) == (first.start, asked.end)
