"""The child that runs smart-turn with onnxruntime, on one thread and behind everything else: a call that waits for the
processor is worse than a turn that ends later.
"""

import os
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from offhook.audio import mulaw
from offhook.audio.logmel import RATE, logmel
from offhook.audio.resample import Resampler
from offhook.providers.child import Handler, Send, serve

SECONDS = 8
"""What the model listens to: the end of the turn, at the end of these."""
_NICE = 10


def features(said: bytes) -> NDArray[np.float32]:
    """What the model is shown of mu-law at 8 kHz: its last eight seconds, silence before what is shorter.

    Shape (1, 80, 800).
    """
    said = said[-8_000 * SECONDS :]
    rise = Resampler(8_000, RATE)
    pcm = np.frombuffer(rise.feed(mulaw.decode(said).astype("<i2").tobytes()) + rise.flush(), "<i2")
    wave = np.zeros(RATE * SECONDS)
    wave[len(wave) - len(pcm) :] = pcm / 32_768
    return logmel(wave)[None]


def model(path: str) -> Callable[[bytes], float]:
    """The likelihood that a turn is over, by the weights in a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def judge(said: bytes) -> float:
        return float(session.run(None, {"input_features": features(said)})[0].item())

    return judge


def load() -> Handler:
    """A request is `[path, mu-law]`; its piece is the likelihood."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    load_model = cache(model)

    def handle(body: Any, send: Send) -> None:
        path, said = body
        send(load_model(path)(said))

    return handle


if __name__ == "__main__":
    serve(load)
