"""Checks of failures: each by its kind, in one line and in time; and when all is well again, so is the provider."""

import asyncio

from offhook.errors import ConfigurationError, Failure, ProviderError
from offhook.providers.interfaces import StreamingTranscriber, TranscriptionStream
from offhook.providers.speech_interface import Briefing, SpeechModel, SpeechSession
from offhook.simulator.conformance.kinds import Provider, Question, require_answer, whole
from offhook.simulator.conformance.subject import Subject

IN_TIME = 5.0
"""Seconds within which a failure is reported, at the latest."""


async def says_what_went_wrong(subject: Subject) -> None:
    """As the kind of failure that it is; and the same instance answers once it is over."""
    for trouble, kind in subject.troubles.items():
        provider = _make(subject, kind)
        try:
            await provider.ready()
            question = subject.asked(provider).one
            await subject.inflict(trouble)
            _require_kind(subject, trouble, kind, await _failure(provider, subject.asked(provider).one, trouble))
            await subject.relieve()
            require_answer(provider, question, await whole(provider, question))
        finally:
            await provider.aclose()


async def is_ready_or_says_why_not(subject: Subject) -> None:
    """`ready` raises `ConfigurationError` or `ProviderError` and nothing else, and leaves the provider usable."""
    for trouble, kind in subject.troubles.items():
        provider = _make(subject, kind)
        try:
            await subject.inflict(trouble)
            try:
                await asyncio.wait_for(provider.ready(), IN_TIME)
            except (ConfigurationError, ProviderError) as error:
                _require_words(subject, trouble, error)
            await subject.relieve()
            await provider.ready()
            question = subject.asked(provider).one
            require_answer(provider, question, await whole(provider, question))
        finally:
            await provider.aclose()


async def says_what_it_lacks(subject: Subject) -> None:
    """Without its key, or what else it needs, `ready` raises `ConfigurationError`; so does a session that is opened."""
    try:
        provider = subject.make_incomplete()
    except ConfigurationError as error:
        _require_words(subject, "incomplete", error)
        return
    if provider is None:
        return
    try:
        try:
            await provider.ready()
        except ConfigurationError as error:
            _require_words(subject, "incomplete", error)
        else:
            raise AssertionError("incomplete: `ready` must raise ConfigurationError")
        await _require_closed(provider)
    finally:
        await provider.aclose()


async def _require_closed(provider: Provider) -> None:
    """That a session or stream of an incomplete provider does not open."""
    session: SpeechSession | TranscriptionStream
    if isinstance(provider, SpeechModel):
        session = provider.session(Briefing())
    elif isinstance(provider, StreamingTranscriber):
        session = provider.listen()
    else:
        return
    try:
        session.open()
    except ConfigurationError:
        return
    finally:
        await session.aclose()
    raise AssertionError("incomplete: `open` must raise ConfigurationError")


def _make(subject: Subject, kind: Failure) -> Provider:
    return subject.make_impatient() if kind is Failure.TIMEOUT else subject.make()


async def _failure(provider: Provider, question: Question, trouble: str) -> ProviderError:
    try:
        items = await asyncio.wait_for(whole(provider, question), IN_TIME)
    except TimeoutError:
        raise AssertionError(f"{trouble}: nothing was said of it for {IN_TIME:g} s") from None
    except ProviderError as error:
        return error
    raise AssertionError(f"{trouble}: it must raise ProviderError, and not answer {items!r:.80}")


def _require_kind(subject: Subject, trouble: str, kind: Failure, error: ProviderError) -> None:
    _require_words(subject, trouble, error)
    assert error.kind is kind, f"{trouble}: this is {kind.name}, and not {error.kind.name} ({error})"
    if kind is Failure.OVERLOADED and subject.retry_after is not None:
        wish, heard = subject.retry_after, error.retry_after
        assert heard == wish, f"{trouble}: retry_after is {wish}, and not {heard}"


def _require_words(subject: Subject, trouble: str, error: Exception) -> None:
    words = str(error)
    assert words, f"{trouble}: an error without words"
    assert "\n" not in words, f"{trouble}: an error says what is wrong in one line: {words!r}"
    assert not subject.secret or subject.secret not in words, f"{trouble}: the error tells our secret"
