"""How long a reply takes where computing takes no time."""

from offhook.audio import mulaw
from offhook.simulator import sounds
from offhook.simulator.load import agents, ideal
from offhook.simulator.load.profile import Profile
from recordings import AUDIO, needs_recordings


@needs_recordings
def test_listening_and_the_stages_are_all_it_takes() -> None:
    assert AUDIO
    file = sorted((AUDIO / "answer").glob("*.wav"))[0]
    said = sounds.from_file(file, dbov=-25.0)
    delay = ideal.delay(Profile(said.mulaw[said.start : said.end], mulaw.SILENCE * 160))
    tokens = agents.CLAUSE / agents.TOKENS_PER_SECOND
    stages = agents.TRANSCRIPTION + agents.FIRST_TOKEN + tokens + agents.SPEECH
    assert 0.06 < delay / 1_000_000 - stages < 1.0
