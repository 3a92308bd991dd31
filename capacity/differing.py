"""What scaling out breaks where any node has to give the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from capacity.components.exchange import Differing
    from capacity.solve import Solution


class Difference(msgspec.Struct, frozen=True):
    """One way in which two nodes may answer differently."""

    tier: str
    what: str
    share: float | None
    """Of the requests that may see another answer; None where it is not known."""
    lasting_s: float | None
    """For how long, None for as long as nothing is done about it."""
    mends: list[Mended]


class Mended(msgspec.Struct, frozen=True):
    """What mends it, and what that takes; None where it is more than a change of fields, or does not pass."""

    text: str
    nodes: int | None = None
    more_monthly: float | None = None
    fails: str | None = None
    """Why it does not pass."""


def differing(solution: Solution, root: str) -> list[tuple[str, Differing]]:
    """Return in which ways the nodes of a tier, and what lives on them, may answer differently."""
    return [
        (name, found)
        for name in solution.system.residents[root]
        if solution.places[name].classes
        for found in solution.system.tiers[name].differs(solution.places[name], solution.arrivals(name), solution)
    ]
