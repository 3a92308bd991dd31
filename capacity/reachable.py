"""What can be reached along edges, whichever these are: calls, or calls the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def reachable(start: Iterable[str], onward: Callable[[str], Iterable[str]]) -> set[str]:
    """Return all that is reached from the start, itself included; `onward` says where edges lead from each."""
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += onward(name)
    return found
