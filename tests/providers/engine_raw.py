"""A child that answers with the very bytes it was asked to, protocol or not."""

import sys

from offhook.providers.frames import Ask, Ready, encode, read_down

sys.stdout.buffer.write(encode(Ready()))
sys.stdout.buffer.flush()
while isinstance(asked := read_down(sys.stdin.buffer), Ask):
    sys.stdout.buffer.write(asked.body)
    sys.stdout.buffer.flush()
