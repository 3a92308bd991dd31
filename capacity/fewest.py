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


def fewest_near(enough: Callable[[int], bool], guess: int, least: int, most: int) -> int | None:
    """Return the same, looking first at a guess and beside it: two looks where the guess is right."""
    guess = min(max(guess, least), most)
    if not enough(guess):
        return fewest(enough, guess + 1, most)
    if guess == least:
        return least
    steps = fewest(lambda below: not enough(guess - below), 1, guess - least)
    return least if steps is None else guess - steps + 1
