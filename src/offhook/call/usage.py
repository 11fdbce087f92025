"""What a call takes from its providers, and what that costs."""

from offhook.timebase import SAMPLE_US
from offhook.values import Value

_MILLION = 1_000_000
_SAMPLES_PER_MINUTE = 60 * _MILLION // SAMPLE_US


class Consumption(Value, frozen=True):
    """Requests, and what they were about: audio in samples at 8 kHz, text in characters and tokens."""

    transcriptions: int = 0
    heard: int = 0
    """Samples that were sent to be transcribed."""
    replies: int = 0
    input: int = 0
    cached: int = 0
    """Tokens of the input that the model knew already."""
    output: int = 0
    estimated: int = 0
    """Replies that ended without saying what they took: their tokens are estimated from their text."""
    speeches: int = 0
    characters: int = 0
    """Characters that were sent to be spoken."""
    spoken: int = 0
    """Samples of speech that came."""
    tools: int = 0


class Rates(Value, frozen=True, forbid_unknown_fields=True):
    """Prices in US dollars: of one provider, or of all that a call has."""

    input: float = 0.0
    """A million tokens of input. The next two likewise."""
    cached: float = 0.0
    output: float = 0.0
    heard_minute: float = 0.0
    """A minute of audio to be transcribed."""
    spoken_minute: float = 0.0
    """A minute of speech."""
    characters: float = 0.0
    """A million characters to be spoken."""

    def cost(self, used: Consumption) -> float:
        """US dollars."""
        millions = (
            (used.input - used.cached) * self.input
            + used.cached * self.cached
            + used.output * self.output
            + used.characters * self.characters
        )
        minutes = used.heard * self.heard_minute + used.spoken * self.spoken_minute
        return millions / _MILLION + minutes / _SAMPLES_PER_MINUTE
