"""Counts what a call takes from its providers, as it is asked for and as it comes: a little for each request and
result, nothing for a frame of audio.
"""

from collections import Counter
from collections.abc import Iterable

from offhook.call.inputs import ReplyFinished, ReplyText, RequestFailed, TokensUsed, VoiceAudio
from offhook.call.outputs import AskModel, CallCosted, Cancel, Output, RunTool, Synthesize, Transcribe
from offhook.call.usage import Consumption, Rates
from offhook.conversation.context import estimate, tokens
from offhook.timebase import Duration

_REMEMBERED = 100
"""Requests that may still come to nothing. Fewer than ten are open or belong to what is being said, even if each
sentence of it is one."""


class Meter:
    """What one call has taken so far.

    Wasted is what was called off or thrown away: work that was begun ahead for a caller who then went on, and the rest
    of a reply that was broken into. A request that is called off counts as a whole, for nobody says how far it came. So
    does a transcript of audio that is transcribed again because the caller went on.
    """

    def __init__(self, rates: Rates | None = None) -> None:
        self._rates = rates
        self._told = False
        self._used: Counter[str] = Counter()
        self._wasted: Counter[str] = Counter()
        self._requests: dict[int, Counter[str]] = {}
        self._thrown_away: set[int] = set()
        self._writing: dict[int, tuple[int, int]] = {}
        """Replies that have not said what they took: tokens they were asked with, characters they have."""
        self._heard: dict[str, Transcribe] = {}
        """What was last transcribed of each track."""

    def asked(self, outputs: Iterable[Output]) -> None:
        """The call wants this done."""
        for output in outputs:
            match output:
                case Transcribe(request, track, start, end):
                    self._count(request, transcriptions=1, heard=end - start)
                    before, self._heard[track] = self._heard.get(track), output
                    if before is not None and start <= before.start and before.end <= end:
                        self.throw_away([before.request])
                case AskModel(request, messages):
                    self._count(request, replies=1)
                    self._writing[request] = (sum(map(tokens, messages)), 0)
                case Synthesize(request, text):
                    self._count(request, speeches=1, characters=len(text))
                case RunTool(request):
                    self._count(request, tools=1)
                case Cancel(request):
                    self._estimate(request)
                    self.throw_away([request])
                case _:
                    pass

    def got(self, event: object) -> None:
        """This came of a request, whether or not the call still wants it."""
        match event:
            case VoiceAudio(request, mulaw):
                self._count(request, spoken=len(mulaw))
            case ReplyText(request, text) if request in self._writing:
                asked, written = self._writing[request]
                self._writing[request] = (asked, written + len(text))
            case TokensUsed(request, input_, output, cached) if self._writing.pop(request, None):
                self._count(request, input=input_, output=output, cached=min(cached, input_))
            case ReplyFinished(request):
                self._estimate(request)
            case RequestFailed(request) if not self._writing.get(request, (0, 0))[1]:
                self._writing.pop(request, None)
            case RequestFailed(request):
                self._estimate(request)
            case _:
                pass

    def throw_away(self, requests: Iterable[int]) -> None:
        """Nothing comes of these requests, complete or not."""
        for request in requests:
            if request in self._requests and request not in self._thrown_away:
                self._thrown_away.add(request)
                self._wasted.update(self._requests[request])

    @property
    def used(self) -> Consumption:
        return Consumption(**self._used)

    @property
    def wasted(self) -> Consumption:
        """The part of `used` that was for nothing."""
        return Consumption(**self._wasted)

    @property
    def spent(self) -> float:
        """US dollars so far; 0.0 where a price is not known."""
        return self._rates.cost(self.used) if self._rates else 0.0

    def overspent(self, limit: float) -> bool:
        """Whether more than `limit` US dollars (0.0: no limit) have been spent. True only once."""
        if not limit or self._told or self.spent <= limit:
            return False
        self._told = True
        return True

    def costed(self, lasted: Duration) -> CallCosted:
        """What the call took in all."""
        if self._rates is None:
            return CallCosted(lasted, self.used, self.wasted)
        return CallCosted(lasted, self.used, self.wasted, self.spent, self._rates.cost(self.wasted))

    def _estimate(self, request: int) -> None:
        """A reply is over. If it has not said what it took, that is estimated."""
        if (known := self._writing.pop(request, None)) is not None:
            asked, written = known
            self._count(request, input=asked, output=estimate(written), estimated=1)

    def _count(self, request: int, **amounts: int) -> None:
        if request not in self._requests:
            self._remember(request)
        counts = [self._used, self._requests[request]]
        if request in self._thrown_away:
            counts.append(self._wasted)
        for count in counts:
            for name, amount in amounts.items():
                count[name] += amount

    def _remember(self, request: int) -> None:
        self._requests[request] = Counter()
        if len(self._requests) > _REMEMBERED:
            oldest = next(iter(self._requests))
            del self._requests[oldest]
            self._thrown_away.discard(oldest)
