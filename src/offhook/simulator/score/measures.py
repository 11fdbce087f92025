"""What is measured in a call that is over. The caller's times come from labels, the agent's from the caller's ear."""

import itertools
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

from offhook.conversation.messages import Role
from offhook.conversation.words import normalise
from offhook.simulator.ledger import Span
from offhook.simulator.score import timer
from offhook.simulator.score.ears import GARBLED, Class
from offhook.simulator.score.follow import Stretch, heard
from offhook.simulator.score.labels import Word
from offhook.simulator.score.stage import Sample, Stage, Uttered
from offhook.timebase import RATE, SAMPLE_US, ms

MISSED = 4.0
"""Seconds after which a turn that nobody has answered was missed: its dead air is that long."""
_KEPT = 0.8
"""Seconds of pause after which an agent has lost its thread."""
_ONSET = ms(60) // SAMPLE_US
"""Silences shorter than that inside a reply are no pause of it."""
_A_WORD = ms(60) // SAMPLE_US
"""Shorter, and a label does not say where a word is."""
_LEAD = ms(200) // SAMPLE_US
"""So much of the word before may be heard again: nobody has told the agent where its words lie."""
_LATE = ms(20) // SAMPLE_US


class Break(NamedTuple):
    """The agent paused or jumped between two stretches of a reply."""

    at: int
    pause: int
    jump: int
    source: int


# Turns


def turn_end(stage: Stage, turn: Uttered, *, name: str = "") -> list[Sample]:
    """Whether the agent cut into a turn's pauses, and how long it was silent behind it."""
    ear, samples = stage.result.ear, list[Sample]()
    holds = [Span(hold.start + turn.at, hold.end + turn.at) for hold in turn.speech.holds]
    for hold, until in zip(holds, [*(hold.start for hold in holds[1:]), turn.end], strict=False):
        first = ear.first_audible(hold.start)
        cut = first is not None and first < until
        samples.append(stage.sample(f"{name}cut-in", cut, wrong=cut, note=_when(first)))
        samples.append(stage.sample(f"{name}timer quiet", timer.quiet(stage.hearing.evidence, hold) / RATE))
    if stage.result.ended_at // SAMPLE_US < turn.end:
        return samples
    first = ear.first_audible(turn.end)
    missed = first is None or first - turn.end > MISSED * RATE
    air = MISSED if missed or first is None else (first - turn.end) / RATE
    samples.append(stage.sample(f"{name}dead air", air))
    samples.append(stage.sample(f"{name}missed", missed, wrong=missed, note="nobody answered"))
    tail = timer.tail(stage.hearing.evidence, turn.end, len(stage.track.audio))
    return [*samples, stage.sample(f"{name}timer tail", tail / RATE)]


def used_words(stage: Stage, purposes: tuple[str, ...] = ("turn",)) -> list[Sample]:
    """Which of the caller's words were lost, cut or doubled in the transcripts that were used, and what was asked for
    in silence."""
    silent = sum(stage.track.silent(list(asked.spans)) for asked in stage.ears.asked)
    samples = [stage.sample("silent request", silent, wrong=silent > 0, note="asked what silence says")]
    if stage.recipe.ears not in (Class.UPLOAD, Class.STREAM):
        return samples
    turns = [turn for purpose in purposes for turn in stage.said(purpose)]
    if not all(turn.speech.written for turn in turns):
        return samples
    words = [word for turn in turns for word in _on_line(turn)]
    there = {word: stage.track.delivered(word) / (word.end - word.start) for word in words}
    texts = [word.text for word in words]
    used = [normalise(word) for word in " ".join(_used(stage)).split()]
    matcher = SequenceMatcher(None, texts, used, autojunk=False)
    kept = {block.a + step for block in matcher.get_matching_blocks() for step in range(block.size)}
    whole = [place for place, word in enumerate(words) if there[word] >= 0.999 and word.end - word.start >= _A_WORD]
    lost = [texts[place] for place in whole if place not in kept]
    extra = Counter(used) - Counter(texts)
    cut, doubled = min(extra.pop(GARBLED, 0), len(lost)), sum(extra[text] for text in set(texts))
    note = f"lost {' '.join(lost)!r}; doubled {doubled}: used {' '.join(used)!r}"
    wrong = len(lost) + doubled
    samples.append(stage.sample("words lost", len(lost) - cut, wrong=bool(wrong), note=note))
    samples.append(stage.sample("words cut", cut))
    samples.append(stage.sample("words doubled", doubled))
    return [*samples, stage.sample("words", len(whole))]


def _used(stage: Stage) -> list[str]:
    """The caller's words as the model was last asked with them; for a flow, as they were made known."""
    if not stage.model.asked:
        said = stage.user_said
        later = [*said[1:], ""]
        return [text for text, then in zip(said, later, strict=False) if not then.startswith(text)]
    return [message.text for message in stage.model.asked[-1].messages if message.role is Role.USER]


def _on_line(turn: Uttered) -> Iterable[Word]:
    return (Word(word.text, word.start + turn.at, word.end + turn.at) for word in turn.speech.words)


# Replies


def breaks(stage: Stage, text: str, since: int = 0) -> list[Break]:
    """Where the reply that begins with `text` paused or jumped. Silence that belongs to it is no pause."""
    begin, end = extent(stage, text)
    stretches = [it for it in stage.followed()[1] if it.source < end and it.source + it.length > begin]
    found = []
    for one, other in itertools.pairwise(stretches):
        pause, jump = other.at - one.at - one.length, other.source - one.source - one.length
        if other.at >= since and (pause > 0 or jump != 0) and not _only_silence(stage, one, other):
            found.append(Break(one.at + one.length, pause, jump, other.source))
    return found


def _only_silence(stage: Stage, one: Stretch, other: Stretch) -> bool:
    """Whether what lies between two stretches is the reply's own silence, played on time, or the seam of two pieces."""
    late = (other.at - one.at) - (other.source - one.source)
    before = one.source + one.length
    inner = [word for word in stage.followed()[0].words if word.start + 160 < other.source and word.end - 160 > before]
    return not inner and other.source >= before - 160 and -2_400 <= late <= _LATE


def extent(stage: Stage, text: str) -> tuple[int, int]:
    """Where the pieces that a reply was spoken in lie among all that was spoken."""
    reference = stage.followed()[0]
    pieces = [piece for piece in stage.voice.spoken if piece in text]
    begins = [reference.begins[piece] for piece in pieces]
    ends = [reference.begins[piece] + len(stage.voice.spoken[piece].samples) // 2 for piece in pieces]
    return min(begins, default=0), max(ends, default=0)


def reply_words(stage: Stage, text: str, stretches: list[Stretch] | None = None) -> list[tuple[Word, float]]:
    """The words of a reply in their order, each with the share of it that was heard, or heard in these stretches."""
    reference, followed = stage.followed()
    begin, end = extent(stage, text)
    times = heard(reference, followed if stretches is None else stretches)
    words = [word for word in reference.words if begin <= word.start < end]
    return [(word, float((times[word.start : word.end] > 0).mean())) for word in words]


def kept_thread(stage: Stage, text: str, kind: str) -> list[Sample]:
    """Whether a reply was said to its end although something was heard over it."""
    (over,) = stage.said("over")
    begin, _ = extent(stage, text)
    first = [it.at for it in stage.followed()[1] if it.source >= begin]
    if not first or over.start < min(first):
        return []
    found = breaks(stage, text, over.start)
    words = reply_words(stage, text)
    whole = bool(words) and all(share >= 0.9 for _, share in words)
    same = all(_same_word(stage, it) for it in found)
    pause = sum(it.pause for it in found) / RATE
    kept = whole and same and len(found) <= 1 and pause <= _KEPT
    note = f"{len(found)} pauses, {pause:.2f} s together" + ("" if whole else "; not said to its end")
    samples = [stage.sample(f"kept: {kind}", kept, wrong=not kept, note=note)]
    samples.append(stage.sample(f"unmoved: {kind}", whole and not found))
    stops = timer.stops(stage.hearing.evidence, over.start, over.end + 1_600)
    return [*samples, stage.sample(f"timer kept: {kind}", stops is None)]


def _same_word(stage: Stage, it: Break) -> bool:
    """Whether a reply goes on with the word that was cut, or the next one where none was."""
    left = it.source - it.jump
    words = stage.followed()[0].words
    cut = next((word for word in words if word.start <= left < word.end + 2_400), None)
    return cut is not None and cut.start - _LEAD <= it.source <= max(left, cut.end + 2_400) + _LEAD


def stop_time(stage: Stage, text: str, reply_end: int) -> list[Sample]:
    """Whether the agent yielded to what was said over it, how soon, and what came of the reply later."""
    (over,) = stage.said("over")
    begin, end = extent(stage, text)
    old = [it for it in stage.followed()[1] if it.source < end and it.source + it.length > begin]
    before = [it for it in old if it.at <= over.start < it.at + it.length + 2_400]
    if not before or reply_end - over.start < 0.3 * RATE:
        return []
    old = _until_again(old, over, begin)
    last = max(it.at + it.length for it in old)
    words = reply_words(stage, text, old)
    said_all = all(share >= 0.9 for _, share in words)
    stopped = (last - over.start) / RATE
    yielded = not said_all and stopped <= 2.0
    own = 2 * (stage.line.delay_ms + stage.line.jitter_ms) / 1_000
    samples = [stage.sample("yielded", yielded, wrong=not yielded, note=f"{stopped:.2f} s")]
    stops = timer.stops(stage.hearing.evidence, over.start, over.end)
    samples.append(stage.sample("timer yielded", stops is not None))
    if stops is not None:
        samples.append(stage.sample("timer stop time", stops / RATE))
    if yielded:
        beyond = max(0.0, stopped - own)
        note = f"stopped after {stopped:.2f} s"
        samples.append(stage.sample("stop time", max(0.0, stopped), wrong=beyond > 0.35, note=note))
        samples.append(stage.sample("stop beyond line", beyond))
        samples.append(_stale(stage, old, over))
        samples += words_heard(stage, text, words)
    return samples


def _until_again(old: list[Stretch], over: Uttered, begin: int) -> list[Stretch]:
    """What was heard of a reply until it was given anew from its beginning: the interruption was taken for more of the
    question, and the stand-in's answer to that is the same."""
    anew = [it.at for it in old if it.at >= over.end and abs(it.source - begin) <= _LATE]
    return [it for it in old if it.at < min(anew)] if anew else old


def _stale(stage: Stage, old: list[Stretch], over: Uttered) -> Sample:
    """Milliseconds of the reply that were heard behind the last `clear`, or, where none came, half a second behind
    the interruption."""
    clears = [it.at // SAMPLE_US for it in stage.result.cleared if it.at // SAMPLE_US >= over.start]
    since = clears[-1] if clears else over.start + RATE // 2
    stale = sum(max(0, it.at + it.length - max(it.at, since)) for it in old)
    return stage.sample("stale", stale * 1_000 / RATE, wrong=stale > 160, note="old audio after clear")


def words_heard(stage: Stage, text: str, words: list[tuple[Word, float]]) -> list[Sample]:
    """By how many words the history is off, and whether it holds a sentence of which nothing was heard."""
    claims = [report.text for _, report in stage.agent_said if not report.complete and text.startswith(report.text[:8])]
    if not claims:
        return []
    claimed = len(claims[-1].split())
    full = sum(share >= 0.9 for _, share in words)
    error = abs(claimed - full)
    note = f"history has {claimed} words, {full} were heard"
    ends = [place for place, (word, _) in enumerate(words) if word.text[-1] in ".!?"] or [len(words) - 1]
    never, begin = 0, 0
    for end in ends:
        sentence = words[begin : end + 1]
        never += begin < claimed and all(share < 0.1 for _, share in sentence)
        begin = end + 1
    samples = [stage.sample("words-heard error", error, wrong=error > 1, note=note)]
    return [*samples, stage.sample("sentence never heard", never, wrong=never > 0, note=note)]


def frames(stage: Stage, text: str) -> list[Sample]:
    """Frames of a reply that nothing disturbed which were lost, doubled or late by more than 20 ms."""
    if stage.result.cleared:
        return []
    found = breaks(stage, text)
    times = heard(*stage.followed())
    begin, end = extent(stage, text)
    doubled = int((times[begin:end] > 1).sum()) // 160
    lost = sum(share < 0.9 for _, share in reply_words(stage, text))
    late = sum(it.pause > _LATE for it in found)
    bad = doubled + lost + late
    note = f"{lost} words lost, {doubled} frames doubled, {late} late"
    return [stage.sample("frames", bad, wrong=bad > 0, note=note)]


def sound(stage: Stage) -> list[Sample]:
    """Whether the carrier had nothing to complain of, and nothing was left behind."""
    problems = [*stage.result.problems, *([stage.fault] if stage.fault else [])]
    left = stage.model.running
    note = "; ".join(problems) or f"{left} requests left"
    return [stage.sample("sound", not problems and not left, wrong=bool(problems or left), note=note)]


def _when(position: int | None) -> str:
    return "" if position is None else f"the agent speaks at {position / RATE:.2f} s"
