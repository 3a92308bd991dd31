"""How often chance is asked: the same examples at every run of `make test`, fresh ones at `make test-all`.

A change must not fail for an example that nobody changed; `make test-all` looks for new ones, and what it finds is
mended and stays as an example of its own.

What the tests cost besides: programs that they start find the modules compiled by the first of them, and the garbage
collector looks at what a test made, not at what was imported for all.
"""

from __future__ import annotations

import gc
import os

from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fresh", deadline=None, print_blob=True)
settings.load_profile("same")

# Else each of some two hundred processes compiles the program anew, which takes half of its time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later collection, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000)
