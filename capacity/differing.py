"""What scaling out breaks where any node has to give the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from capacity.solve import Solution


class Difference(msgspec.Struct, frozen=True):
    """One way in which two nodes may answer differently."""

    tier: str
    what: str
    share: float | None
    """Of the requests that may see another answer; None where it is not known."""
    lasting_s: float | None
    """For how long, None for as long as nothing is done about it."""
    mends: list[str]


def differences(solution: Solution) -> list[Difference]:
    """Return everything in a solved system that keeps its nodes from giving the same answer."""
    return [
        Difference(name, *found)
        for name, tier in solution.system.tiers.items()
        if solution.places[name].classes
        for found in tier.differs(solution.places[name], solution.arrivals(name), solution)
    ]
