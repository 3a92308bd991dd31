"""Words for work that servers cannot keep up with: more than they can do, or exactly as much, which is too much too."""

from __future__ import annotations

from typing import Final

from capacity.units import digits

_ROUNDING: Final = 1e-9
"""1,000/s for 9 ms fill 9 servers: what is over in the last digits is not over."""

SPARE: Final = "none to spare: any more is enough"
"""Of what is short by nothing: at exactly full load, the least that is added is enough."""

SLOWLY: Final = "ever more slowly, but without end"
"""Of what grows at exactly full load: chance alone makes it longer, about as the square root of time."""


def just_full(demand: float, capacity: float) -> bool:
    """Return whether demand, which is not less than what there is, is exactly that."""
    return demand <= capacity * (1 + _ROUNDING)


def verdict(demand: float, capacity: float) -> str:
    """Return in two words what becomes of demand that is not less than what there is."""
    return "exactly full" if just_full(demand, capacity) else "overloaded"


def over(demand: float, capacity: float) -> float:
    """Return by how much demand is above what there is, 0 where it just fills it."""
    return 0.0 if just_full(demand, capacity) else demand - capacity


def all_or_more(demand: float, capacity: float) -> str:
    """Return what to say of the share that is demanded."""
    return "all there is" if just_full(demand, capacity) else "more than all"


def counted(number: float, one: str) -> str:
    """Return a number of things, of which one has no s."""
    return f"{digits(number)} {one}{'' if number == 1 else 's'}"
