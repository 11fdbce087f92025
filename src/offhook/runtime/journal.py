"""The log of a call: what was said, how long each turn took, what is wrong, why it ended."""

import logging
from typing import assert_never

from offhook.call.outputs import (
    AgentSaid,
    CallEnded,
    CallStarted,
    FlowFinished,
    Gathered,
    Interrupted,
    Report,
    ToolUsed,
    Transferred,
    TurnTimed,
    UserSaid,
    Warned,
)

logger = logging.getLogger("offhook.call")

STAGES = ("confirmed", "transcribed", "written", "voiced", "played")


def delays(turn: TurnTimed) -> dict[str, int]:
    """The stages of a turn that were needed, in milliseconds after the caller's last sound."""
    return {stage: round(us / 1_000) for stage in STAGES if (us := getattr(turn, stage)) >= 0}


class Journal:
    """Writes one line per report. With text, each line begins with the end of the stream's id, which tells calls that
    run at once apart; with JSON, the facts stand beside it under names of their own."""

    def __init__(self, call_id: str, stream_id: str) -> None:
        self._ids = {"sid": stream_id, "call": call_id}
        self._short = stream_id[-6:]
        self._warned: set[str] = set()

    def report(self, report: Report) -> None:
        match report:
            case CallStarted():
                self._started(report)
            case UserSaid(text, track):
                whose = "user" if track == "inbound" else track
                self._info("user said", f"{whose} said: {_quoted(text)}", text=text, track=track)
            case AgentSaid(text, complete):
                cut = "" if complete else " (interrupted)"
                self._info("agent said", f"agent said: {_quoted(text)}{cut}", text=text, complete=complete)
            case Interrupted(text):
                self._info("interrupted", f"[interrupted] after {_quoted(text)}", text=text)
            case ToolUsed(name, arguments, result, failed):
                words = f"[tool] {name}({_clean(arguments)}) {'failed' if failed else 'returned'} {_quoted(result)}"
                self._info("tool", words, name=name, arguments=arguments, result=result, failed=failed)
            case Gathered(_, digits):
                self._info("gathered", f"[gathered] {len(digits)} digits", digits=digits)
            case Transferred(to, reason):
                ending = f"failed: {reason}" if reason else "done"
                self._info("transfer", f"[transfer] to {_clean(to)} {_clean(ending)}", to=to, reason=reason)
            case TurnTimed():
                timed = delays(report)
                self._info("turn", "[turn] " + " ".join(f"{stage}={ms}ms" for stage, ms in timed.items()), **timed)
            case FlowFinished(outcome, answers):
                shown = ", ".join(f"{name}={_quoted(value)}" for name, value in answers.items())
                self._info("flow", f"[flow] {outcome}: {shown}", outcome=outcome, answers=answers)
            case Warned(kind, words):
                self.warn(kind, words)
            case CallEnded(reason, heard, said):
                words = f"[end] {_clean(reason)}; {heard} turns heard, {said} said"
                self._info("end", words, reason=reason, heard=heard, said=said)
            case _:
                assert_never(report)

    def warn(self, kind: str, words: str) -> None:
        """Say once per kind what is wrong."""
        if kind in self._warned:
            return
        self._warned.add(kind)
        facts = {"event": "warning", "kind": kind, "words": words, **self._ids}
        logger.warning("…%s warning: %s", self._short, _clean(words), extra={"facts": facts})

    def _started(self, started: CallStarted) -> None:
        ways = {} if started.two_way else {"one_way": True}
        from_, to = (started.parameters.get(name, "") for name in ("From", "To"))
        words = f"[start] sid={started.stream_id} call={started.call_id} from={_clean(from_)} to={_clean(to)}"
        if not started.two_way:
            words += " (one-way: it can only be listened to)"
        self._info("start", words, **{"from": from_, "to": to}, **ways)

    def _info(self, event: str, words: str, **facts: object) -> None:
        everything = {"event": event, **self._ids, **facts}
        logger.info("…%s %s", self._short, words, extra={"facts": everything})


def _clean(text: str) -> str:
    """Text on one line: whoever calls must not be able to write lines of their own."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _quoted(text: str) -> str:
    return f"'{_clean(text)}'"
