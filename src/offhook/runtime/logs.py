"""Where log lines go: to standard error as text or JSON, by a thread of their own, so that no call waits for a disk or
a terminal."""

import json
import logging
import queue
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from typing import TextIO


class TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(levelname)s %(message)s", "%H:%M:%S")


class JsonFormatter(logging.Formatter):
    """One object a line. What a line says of a call stands beside `message` under its own names."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class _Handover(QueueHandler):
    """Hands records to the listener's thread as they are: it is in the same process, so nothing has to be pickled."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


@contextmanager
def logging_to(stream: TextIO | None = None, *, as_json: bool = False, level: str = "info") -> Iterator[None]:
    """Send Offhook's own lines from `level` up, and everybody's warnings, to `stream` (default: standard error)."""
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(JsonFormatter() if as_json else TextFormatter())
    lines: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    handover = _Handover(lines)
    listener = QueueListener(lines, output)
    root, ours = logging.getLogger(), logging.getLogger("offhook")
    levels = root.level, ours.level
    root.addHandler(handover)
    root.setLevel(logging.WARNING)
    ours.setLevel(level.upper())
    listener.start()
    try:
        yield
    finally:
        root.removeHandler(handover)
        root.setLevel(levels[0])
        ours.setLevel(levels[1])
        listener.stop()
