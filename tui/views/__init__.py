"""The views, each a module here that ends in a `VIEW`: a question, and a pure function from a scene to its answer.

Adding a view is adding a module. `answer` may take its time: it runs beside the screen, calls `tick` as it goes, and is
asked again when what it depends on changes. It may run in another process: `answer` is a function of its module, and
all that an answer holds is picklable.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.content import Content
    from tui.scene import Scene


@dataclass(frozen=True)
class Asked:
    """What a view is asked about."""

    scene: Scene
    tier: str | None
    """The tier that is selected."""
    request_class: str | None = None
    baseline: Scene | None = None


@dataclass(frozen=True)
class View:
    """A way to look at a scene."""

    id: str
    key: str
    title: str
    question: str
    """What it answers, in the words of whoever asks."""
    answer: Callable[[Asked, Callable[[int], None]], Content]
    of_tier: bool = False
    """Whether the answer depends on which tier is selected."""
    of_scenario: bool = True
    """Whether it depends on the scenario that is shown."""
    of_class: bool = False
    """Whether it depends on which request class is selected."""
    work: str = "the answer"
    """What is worked out for it, told to whoever waits."""


@cache
def views() -> tuple[View, ...]:
    """Return every view, in the order of their keys."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return tuple(
        sorted(
            (m.VIEW for m in modules if hasattr(m, "VIEW")), key=lambda view: (len(view.key), view.key == "0", view.key)
        )
    )
