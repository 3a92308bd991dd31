"""Names for what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def free(wanted: str, taken: Iterable[str]) -> str:
    """Return a name that is not taken: the wanted one, or the same with a number."""
    known = set(taken)
    if wanted not in known:
        return wanted
    return next(name for number in range(2, len(known) + 3) if (name := f"{wanted}-{number}") not in known)
