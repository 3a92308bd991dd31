"""What would stop the screen for as long as a key may take: collecting garbage, and threads that do not let go."""

from __future__ import annotations

import gc
import sys
from typing import Final

_ALLOCATED: Final = 50_000
"""Objects more than were freed before the youngest are looked through: an edit leaves a few thousand."""

_AGES: Final = (20, 50)
"""How many times the younger ones are looked through before those that outlived it are."""

_LET_GO: Final = 0.001
"""Seconds after which a thread that works beside the screen makes room for a key, instead of five times that."""


def steady() -> None:
    """Set this process up for short pauses, once everything that stays is there.

    Modules, styles and widgets stay until the end, some hundred thousand objects; to look through them for garbage
    again and again stopped the screen for 20 to 100 ms. They are left out of every later collection.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATED, *_AGES)
    sys.setswitchinterval(_LET_GO)
