"""The mouth: what one reply leaves behind for the next."""

from offhook.call.config import CallConfig, Limits
from offhook.call.inputs import WordSpan
from offhook.call.minds import Draft
from offhook.call.outputs import Output, Synthesize
from offhook.call.replying import Reply
from offhook.call.requests import Requests
from offhook.call.speaking import Speaker
from offhook.carrier.commands import PlayAudio
from offhook.timebase import Instant

SOUND = b"\x20" * 320


def test_a_reply_is_not_faded_in_because_the_one_before_it_was_to_be() -> None:
    out: list[Output] = []
    requests, speaker = Requests(), Speaker(Limits(), out)

    def begin(draft: Draft) -> Reply:
        reply = Reply(Instant(0), draft, CallConfig(), requests, out, speculative=False)
        speaker.begin(reply)
        return reply

    reply = begin(Draft(say="Good morning."))
    (asked,) = [each for each in out if isinstance(each, Synthesize)]
    reply.voiced(Instant(0), asked.request, SOUND, (WordSpan("Good", 0, len(SOUND)),))
    speaker.pump(Instant(0))
    speaker.hold(Instant(1_000_000))
    assert not speaker.resume(Instant(1_000_000)), "all that has come was heard"
    assert speaker.stop(Instant(1_000_000)) == "Good"

    out.clear()
    begin(Draft(sound=SOUND))
    speaker.pump(Instant(2_000_000))
    assert [each.mulaw for each in out if isinstance(each, PlayAudio)] == [SOUND]
