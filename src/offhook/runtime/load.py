"""How long batches of hearing take, in classes that tell whether hearing keeps up."""

BOUNDS = (0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
"""Seconds, by which a server counts its batches. From 32 ms on, the length of a chunk, hearing falls behind: no chunk
is lost by that, but callers who break in are heard so much later."""
