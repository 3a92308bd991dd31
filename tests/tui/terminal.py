"""Tests that drive a screen: coroutines, each run in a loop of its own."""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

P = ParamSpec("P")


def driven(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Return a test that runs the coroutine to its end."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run
