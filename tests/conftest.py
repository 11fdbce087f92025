"""How property tests run: without a time limit per example, and the same ones each time in CI."""

from hypothesis import settings

settings.register_profile("offhook", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("offhook")
