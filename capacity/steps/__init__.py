"""The steps of a growing architecture, one room each. A module placed here that has a NAME is one."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from capacity.steps.base import Step


@cache
def steps() -> tuple[Step, ...]:
    """Return every step, in the order of their modules."""
    modules = [import_module(f"{__name__}.{name}") for name in sorted(info.name for info in iter_modules(__path__))]
    return tuple(cast("Step", module) for module in modules if hasattr(module, "NAME"))
