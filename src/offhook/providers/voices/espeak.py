"""The child that speaks with espeak-ng: text in; out come 16-bit samples at 22,050 Hz, and where words begin.

The library is GPL-3 and keeps its state in globals, so it lives in a process of its own and only text and samples
pass between it and Offhook. Interface: espeak-ng's `speak_lib.h`.
"""

import ctypes
import os
from collections.abc import Iterator
from itertools import count, takewhile
from typing import Any

from offhook.providers.child import Handler, Send, serve

RATE = 22_050
PIECE_MS = 60
"""How much is spoken at a time: with 60 ms the first samples come within a millisecond."""

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: AUDIO_OUTPUT_SYNCHRONOUS
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_CHARS_UTF8 = 1  # espeakCHARS_UTF8. Neither espeakSSML nor espeakPHONEMES is set: text is text.
_POS_CHARACTER = 1

_END, _WORD = 0, 1  # espeakEVENT_LIST_TERMINATED, espeakEVENT_WORD


class Event(ctypes.Structure):
    """espeak_EVENT. `text_position` counts characters from 1."""

    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    ]


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))


def open_library() -> ctypes.CDLL:
    """espeak-ng, ready to speak. Changes the working directory."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    # The library keeps no path longer than 160 bytes, which a deep virtual environment exceeds: "." never does.
    os.chdir(espeakng_loader.get_data_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, PIECE_MS, b"..", _DONT_EXIT)
    assert rate == RATE, f"espeak-ng speaks at {rate} Hz"
    return library


def load() -> Handler:
    """What speaks. A request is `[language, text]`; its pieces are bytes, and pairs before them: at which character a
    word begins, and at which sample. An unknown language ends the child."""
    library = open_library()

    def handle(body: Any, send: Send) -> None:
        language, text = body
        if library.espeak_SetVoiceByName(language.encode()) != 0:
            raise LookupError(f"espeak-ng has no voice {language!r}")

        def heard(samples: Any, length: int, events: Any) -> int:
            wanted = all(send([event.text_position - 1, event.sample]) for event in _words(events))
            return 0 if wanted and (not length or send(ctypes.string_at(samples, 2 * length))) else 1

        callback = Callback(heard)
        library.espeak_SetSynthCallback(callback)
        spoken = text.encode() + b"\0"
        library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)

    handle(["en-us", "ready"], lambda piece: True)  # what is loaded at the first word is loaded now
    return handle


def _words(events: Any) -> Iterator[Any]:
    """The words among the events of a piece."""
    for event in takewhile(lambda each: each.type != _END, (events[at] for at in count())):
        if event.type == _WORD:
            yield event


if __name__ == "__main__":
    serve(load)
