"""The load generator: many callers in real time, cheap enough to stand beside the server that they call."""
