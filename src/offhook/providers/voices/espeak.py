"""The child that speaks with espeak-ng: text in, 16-bit samples at 22,050 Hz out, piece by piece.

The library is GPL-3 and keeps its state in globals, so it lives in a process of its own and only text and samples
pass between it and Offhook. Interface: espeak-ng's `speak_lib.h`.
"""

import ctypes
import os
from typing import Any

from offhook.providers.child import Handler, Send, serve

RATE = 22_050
PIECE_MS = 60
"""How much is spoken at a time: with 60 ms the first samples come within a millisecond."""

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: AUDIO_OUTPUT_SYNCHRONOUS
_DONT_EXIT = 0x8000  # espeakINITIALIZE_DONT_EXIT
_CHARS_UTF8 = 1  # espeakCHARS_UTF8. Neither espeakSSML nor espeakPHONEMES is set: text is text.
_POS_CHARACTER = 1

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


def load() -> Handler:
    """Open the library. A request is `[language, text]`; its pieces are bytes. An unknown language ends the child."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    # The library keeps no path longer than 160 bytes, which a deep virtual environment exceeds: "." never does.
    os.chdir(espeakng_loader.get_data_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, PIECE_MS, b"..", _DONT_EXIT)
    assert rate == RATE, f"espeak-ng speaks at {rate} Hz"

    def handle(body: Any, send: Send) -> None:
        language, text = body
        if library.espeak_SetVoiceByName(language.encode()) != 0:
            raise LookupError(f"espeak-ng has no voice {language!r}")

        def heard(samples: Any, count: int, events: Any) -> int:
            return 0 if not count or send(ctypes.string_at(samples, 2 * count)) else 1

        callback = _Callback(heard)
        library.espeak_SetSynthCallback(callback)
        spoken = text.encode() + b"\0"
        library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)

    handle(["en-us", "ready"], lambda piece: True)  # what is loaded at the first word is loaded now
    return handle


if __name__ == "__main__":
    serve(load)
