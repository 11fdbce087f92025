"""The child that listens with pocketsphinx: it holds the interpreter's lock for a whole decode.

One decoder serves all grammars, because each further one costs 30 MB. `bestpath` is off: its word lattice is built
whenever a result is read, and takes longer than the decode itself where a grammar has a loop. `compallsen` is on:
otherwise a frame's scores are relative to the best sound that the grammar holds, and no two searches can be compared.
"""

import math
from collections import OrderedDict
from typing import Any

from offhook.providers.child import Handler, Send, serve
from offhook.providers.transcribers.acceptance import FILLER, Segment, verdict
from offhook.providers.transcribers.sphinx_grammar import GrammarError, missing, readable
from offhook.providers.transcribers.wideband import loudest, widen

GRAMMARS = 32
"""How many are kept ready. A flow has a handful; one of 300 words takes a millisecond to compile and 1 MB."""

QUIETEST = -50.0
"""dB below full scale under which nobody speaks: callers lie between -35 and -15, a quiet line's noise near -60."""

PHONES = str.split(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
)
_LOOP = "any sounds"
_SCORE_SCALE = 1024
"""Scores come shifted right by ten bits."""


class Recogniser:
    """A decoder with its grammars, and beside them a loop of all sounds that any speech can follow."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self._decoder = Decoder(lm=None, bestpath=False, compallsen=True, loglevel="FATAL")
        for phone in PHONES:
            self._decoder.add_word(FILLER + phone.lower(), phone, phone == PHONES[-1])
        self._decoder.add_jsgf_string(_LOOP, _rule(f"({' | '.join(FILLER + phone.lower() for phone in PHONES)})+"))
        self._grammars: OrderedDict[str, str] = OrderedDict()

    def recognise(self, grammar: str, mulaw: bytes, trust: float = 0.0) -> tuple[str, bool]:
        """The words, and whether there was speech without them making an answer. Raises `GrammarError`."""
        name = self._search(grammar)
        if loudest(mulaw) < QUIETEST:
            return "", True
        pcm = widen(mulaw)
        return verdict(self._decode(name, pcm), self._decode(_LOOP, pcm), trust)

    def _search(self, grammar: str) -> str:
        name = self._grammars.get(grammar)
        if name is None:
            name = f"grammar {grammar}"
            body = readable(grammar)
            for word, phones in missing(body, self._decoder.lookup_word).items():
                self._decoder.add_word(word, phones, True)
            try:
                self._decoder.add_jsgf_string(name, _rule(body))
            except (ValueError, RuntimeError) as error:
                raise GrammarError(f"a grammar that cannot be read: {body:.60}") from error
            self._grammars[grammar] = name
        self._grammars.move_to_end(grammar)
        if len(self._grammars) > GRAMMARS:
            self._decoder.remove_search(self._grammars.popitem(last=False)[1])
        return name

    def _decode(self, search: str, pcm: bytes) -> list[Segment]:
        self._decoder.activate_search(search)
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
        return [self._segment(found) for found in self._decoder.seg() or ()]

    def _segment(self, found: Any) -> Segment:
        word = found.word.partition("(")[0]
        speech = word[:1] not in ("<", "[", "+", "")
        phones = len(self._decoder.lookup_word(found.word).split()) if speech else 0
        score = math.log(max(found.ascore, 1e-300)) * _SCORE_SCALE
        return Segment(word, found.start_frame, found.end_frame + 1, score, phones)


def load() -> Handler:
    """A request is `[grammar, mu-law, trust]`; its piece is `[text, understood]`, or the words of a `GrammarError`."""
    recogniser = Recogniser()

    def handle(body: Any, send: Send) -> None:
        grammar, mulaw, trust = body
        try:
            send(recogniser.recognise(grammar, mulaw, trust))
        except GrammarError as error:
            send(str(error))

    return handle


def _rule(body: str) -> str:
    return f"#JSGF V1.0; grammar offhook; public <answer> = {body};"


if __name__ == "__main__":
    serve(load)
