"""Waiting times of a system, each worked out once and each that of one place.

To a model a wait is new whenever it is asked for, and independent of every other. In a system the wait of a place is
one and the same for all visits there, in every round of a solution and after every edit that does not concern it;
equal queues at two places still are two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec

from models.layered import ThreadPool, thread_pool
from models.queues import Wait
from models.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from models.layered import Inside

P = ParamSpec("P")


@remembered(512)
def wait_at(place: Hashable, wait: Wait) -> Wait:  # noqa: ARG001, what makes it another wait than that of another place
    """Return the same wait as that of one place."""
    return Wait(wait.probability, wait.conditional, wait.exact, wait.memory)


@remembered(512)
def wait_of(make: Callable[P, Wait], *arguments: P.args, **named: P.kwargs) -> Wait:
    """Return the wait of a pure model for these arguments."""
    return make(*arguments, **named)


@remembered(512)
def shortened(wait: Wait, factor: float) -> Wait:
    """Return a wait shortened by what waits elsewhere instead."""
    return wait.stretched(factor)


@remembered(128)
def pooled_threads(threads: int, arrival_rate: float, places: tuple[Inside, ...], hold_squared_cv: float) -> ThreadPool:
    """Return what a limit on threads does."""
    return thread_pool(threads, arrival_rate, places, hold_squared_cv)
