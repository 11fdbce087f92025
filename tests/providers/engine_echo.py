"""A child that does as it is told, for the tests of the pool."""

import os
import time
from typing import Any

from offhook.providers.child import Handler, Send, serve


def load() -> Handler:
    def handle(body: Any, send: Send) -> None:
        match body:
            case ["count", int(count)]:
                for number in range(count):
                    if not send(number):
                        return
            case ["pid"]:
                send(os.getpid())
            case ["sleep", float(wait)]:
                send("asleep")
                time.sleep(wait)
                send("awake")
            case ["die", str(words)]:
                send("last")
                raise SystemError(words)
            case ["print", str(words)]:
                print(words, flush=True)
                send("printed")
            case _:
                send(body)

    return handle


if __name__ == "__main__":
    serve(load)
