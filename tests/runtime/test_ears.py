"""Live hearing on a real loop."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np
import pytest

from offhook.audio import mulaw
from offhook.audio.events import CHUNK, Evidence
from offhook.runtime.ears import LiveEar, LiveHearing
from offhook.runtime.hearing import Chunk, Hearing
from offhook.timebase import Instant
from polling import until

HEARING = Hearing()


def sound(seed: int, chunks: int) -> bytes:
    dice = np.random.default_rng(seed)
    return mulaw.encode((dice.standard_normal(chunks * CHUNK) * 2_000).astype(np.int16))


def feed(ear: LiveEar, mulaw: bytes, size: int = 160) -> None:
    for at in range(0, len(mulaw), size):
        ear.listen(Instant(0), at, 0, mulaw[at : at + size])


def run(story: Callable[[LiveHearing], Coroutine[Any, Any, None]], batch: Hearing = HEARING) -> None:
    """Run a story on a loop of its own, and see that nothing stays behind."""

    async def whole() -> None:
        hearing = LiveHearing(batch)
        hearing.start()
        try:
            await story(hearing)
        finally:
            hearing.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


def test_many_ears_get_all_their_evidence_in_order() -> None:
    async def story(hearing: LiveHearing) -> None:
        found: list[list[Evidence]] = [[] for _ in range(150)]
        ears = [hearing.attach("inbound", evidence.append) for evidence in found]
        sounds = [sound(seed, 4) for seed in range(len(ears))]
        for ear, mulaw_ in zip(ears, sounds, strict=True):
            feed(ear, mulaw_)
        await until(lambda: all(len(evidence) == 4 for evidence in found))
        for evidence, mulaw_ in zip(found[::50], sounds[::50], strict=True):
            alone = HEARING.ear("inbound")
            alone.listen(Instant(0), 0, 0, mulaw_)
            wanted = HEARING.drain(alone)
            assert [each.position for each in evidence] == [0, 256, 512, 768]
            assert [each.level for each in evidence] == [each.level for each in wanted]
            assert [each.speech for each in evidence] == pytest.approx([each.speech for each in wanted], abs=2e-4)

    run(story)


def test_few_ears_are_served_at_once() -> None:
    async def story(hearing: LiveHearing) -> None:
        loop, delays = asyncio.get_running_loop(), list[float]()
        ears = [hearing.attach("inbound", lambda _: delays.append(loop.time() - fed)) for _ in range(2)]
        for at in range(5):
            fed = loop.time()
            for ear in ears:
                ear.listen(Instant(0), at * CHUNK, 0, bytes(CHUNK))
            await until(lambda: len(delays) == (at + 1) * 2)  # noqa: B023 (awaited here)
        assert sorted(delays)[len(delays) // 2] < 0.05

    run(story)


def test_hearing_says_how_long_it_takes_and_what_came_too_late() -> None:
    async def story(hearing: LiveHearing) -> None:
        found = list[Evidence]()
        told = list[tuple[float, int]]()
        hearing.on_batch = lambda seconds, late: told.append((seconds, late))
        ear = hearing.attach("inbound", found.append)
        for chunk in range(3):
            ear.listen(Instant(0), chunk * CHUNK, 0, bytes(CHUNK))
            await until(lambda: len(found) == chunk + 1)  # noqa: B023 (awaited here)
        assert [late for _, late in told] == [0, 0, 0]
        assert all(0 < seconds < 1 for seconds, _ in told)
        ear.listen(Instant(0), 3 * CHUNK, 0, bytes(4 * CHUNK))
        await until(lambda: len(found) == 7)
        assert [late for _, late in told] == [0, 0, 0, 1, 1, 1, 0]

    run(story)


class Watched(Hearing):
    """Writes down how large its batches are."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def evaluate(self, chunks: Sequence[Chunk]) -> list[Evidence]:
        self.sizes.append(len(chunks))
        return super().evaluate(chunks)


def test_no_batch_is_larger_than_64() -> None:
    watched = Watched()

    async def story(hearing: LiveHearing) -> None:
        found = list[Evidence]()
        for ear in [hearing.attach("inbound", found.append) for _ in range(200)]:
            ear.listen(Instant(0), 0, 0, bytes(CHUNK))
        await until(lambda: len(found) == 200)
        assert watched.sizes[:3] == [64, 64, 64]
        assert sum(watched.sizes) == 200

    run(story, watched)


def test_evidence_of_a_detached_ear_is_dropped() -> None:
    async def story(hearing: LiveHearing) -> None:
        gone, kept = list[Evidence](), list[Evidence]()
        ear, other = hearing.attach("inbound", gone.append), hearing.attach("inbound", kept.append)
        feed(ear, sound(1, 30))
        feed(other, sound(2, 30))
        await until(lambda: bool(gone))
        ear.detach()
        ear.detach()
        seen = len(gone)
        feed(ear, sound(1, 40))
        await until(lambda: len(kept) == 30)
        assert len(gone) == seen

    run(story)


def test_a_line_that_jumps_while_it_waits_does_not_mix_up_the_others() -> None:
    async def story(hearing: LiveHearing) -> None:
        jumped, steady = list[Evidence](), list[Evidence]()
        ears = [hearing.attach("outbound", jumped.append), hearing.attach("inbound", steady.append)]
        for ear in ears:
            ear.listen(Instant(0), 0, 0, bytes(CHUNK))
        ears[0].listen(Instant(0), 80_000, 0, b"few")
        await until(lambda: bool(steady))
        assert (steady[0].track, jumped) == ("inbound", [])
        ears[0].listen(Instant(0), 80_003, 0, bytes(CHUNK))
        await until(lambda: bool(jumped))
        assert (jumped[0].track, jumped[0].position) == ("outbound", 80_000)

    run(story)


def test_one_call_that_cannot_bear_its_evidence_does_not_disturb_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def story(hearing: LiveHearing) -> None:
        def broken(evidence: Evidence) -> None:
            raise ValueError(evidence.position)

        found = list[Evidence]()
        ears = [hearing.attach("inbound", broken), hearing.attach("inbound", found.append)]
        for ear in ears:
            feed(ear, sound(1, 3))
        await until(lambda: len(found) == 3)

    with caplog.at_level(logging.ERROR):
        run(story)
    assert "could not be handled" in caplog.text


def test_close_in_the_midst_of_work_leaves_nothing_and_what_comes_after_is_ignored() -> None:
    ears: list[LiveEar] = []

    async def story(hearing: LiveHearing) -> None:
        found = list[Evidence]()
        ears.append(hearing.attach("inbound", found.append))
        feed(ears[0], sound(1, 200))
        await until(lambda: bool(found))
        hearing.close()
        count = len(found)
        feed(ears[0], sound(1, 210))
        await asyncio.sleep(0.02)
        assert len(found) == count
        ears[0].detach()

    run(story)
