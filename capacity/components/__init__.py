"""The kinds of tier, one room each. A module placed here that defines one subclass of `Tier` is a kind."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from capacity.components.base import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def kinds() -> Mapping[str, type[Tier]]:
    """Return every kind by the word that the file uses for it."""
    found: dict[str, type[Tier]] = {}
    for module in sorted(info.name for info in iter_modules(__path__)):
        for value in vars(import_module(f"{__name__}.{module}")).values():
            if isinstance(value, type) and issubclass(value, Tier) and value is not Tier:
                found[str(value.__struct_config__.tag)] = value
    return found
