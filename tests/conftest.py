"""How often chance is asked: the same examples at every run of `make test`, fresh ones at `make test-all`.

A change must not fail for an example that nobody changed; `make test-all` looks for new ones, and what it finds is
mended and stays as an example of its own.
"""

from hypothesis import settings

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("fresh", deadline=None, print_blob=True)
settings.load_profile("same")
