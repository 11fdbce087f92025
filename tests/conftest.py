"""How property tests run: without a time limit per example, and the same ones each time in CI."""

import os
import tempfile

from hypothesis import settings

# Before NumPy is imported: one thread is fastest for matrices as small as ours.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Nothing that tests have servers keep may be found by others, or found by them.
os.environ["OFFHOOK_CACHE"] = tempfile.mkdtemp(prefix="offhook-cache-")

settings.register_profile("offhook", deadline=None, max_examples=60)
settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("offhook")
