"""What would stop the screen for as long as a key may take: collecting garbage, and threads that do not let go."""

from __future__ import annotations

import gc
import sys
from typing import Final

from tui.later import Later

_ALLOCATED: Final = 50_000
"""Objects more than were freed before the youngest are looked through, whoever waits: an edit leaves some hundred."""

_AGES: Final = (20, 50)
"""How many times the younger ones are looked through before those that outlived it are."""

_SOME: Final = 4_000
"""Objects that are worth a look while nobody waits, some 10 ms."""

_OLDER: Final = 8
"""How many such looks before those that outlived them are looked through as well, and how many of these before all."""

_PAINTED: Final = 0.02
"""Seconds after new numbers: they are on the screen, and the next key is seldom there yet."""

_QUIET: Final = 2.0
"""Seconds without a key after which a tenth of a second is not missed."""

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


class Tidying:
    """Looks for garbage between two keys. Left to itself that comes in the middle of one, for up to 100 ms."""

    def __init__(self) -> None:
        self._later = Later()

    def soon(self) -> None:
        """Do it once what has just been found is on the screen, if no other key comes before."""
        self._later.do(_PAINTED, self._young)

    def _young(self) -> None:
        young, older, _ = gc.get_count()
        if young >= _SOME:
            gc.collect(1 if older >= _OLDER else 0)
        self._later.do(_QUIET, self._all)

    def _all(self) -> None:
        if gc.get_count()[2] >= _OLDER:
            gc.collect()
