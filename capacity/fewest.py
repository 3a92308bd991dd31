"""The smallest whole number that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def fewest(enough: Callable[[int], bool], least: int, most: int) -> int | None:
    """Return the smallest count in [least, most] that is enough, None where none is: gallop, then halve."""
    if least > most:
        return None
    low, step = least - 1, 1
    high = least
    while not enough(high):
        if high == most:
            return None
        low, step = high, step * 2
        high = min(high + step, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
