"""Answers of pure functions, kept for whoever asks the same again.

Whoever edits a tier asks for a whole system of which nearly everything is as it was: the same queues, the same sums
of waits and service times. Durations and response times are compared by identity, so it is enough that a function
gives the same object for the same arguments, from the numbers of a queue upwards: then all that does not depend on
the edit is the object of before, and knows its percentiles.

What may be remembered: a function that depends on nothing but its arguments, whose arguments can be hashed and whose
answer nobody changes. What comes first or is asked in between makes no difference to any answer, to the last bit.
A wait that is shared by all visits to one place is told from that of an equal place: the place is an argument.
Every memory has an end, and forgets what was not asked for longest; threads may ask at the same time.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

_MEMORIES: Final[dict[str, Any]] = {}
"""The functions that remember, by module and name."""


def remembered(most: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Return a decorator by which a pure function gives the answer of before for its last `most` arguments."""

    def remembering(function: Callable[P, T]) -> Callable[P, T]:
        kept = lru_cache(maxsize=most)(function)
        _MEMORIES[f"{function.__module__}.{function.__qualname__}"] = kept
        return cast("Callable[P, T]", kept)

    return remembering


class Same(Generic[T]):
    """A value that is never changed, as an argument of what is remembered: the same object, and no equal one."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Return whether another holds the very same object."""
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        """Return a hash of the object, not of what it holds."""
        return hash(id(self.value))


def forget() -> None:
    """Forget every answer, so that all is worked out again: to the same bits."""
    for memory in _MEMORIES.values():
        memory.cache_clear()


def worked_out() -> dict[str, int]:
    """Return how many answers each function worked out since it last forgot: the work that was done."""
    return {name: memory.cache_info().misses for name, memory in _MEMORIES.items()}
