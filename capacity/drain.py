"""How fast a tier could work if it had more to do: its own resources end that, or those of a tier that it calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capacity.verdict import limits

if TYPE_CHECKING:
    from capacity.solve import Solution

_GROWS: Final = frozenset({"cores", "threads", "rate", "concurrency", "primary cores", "replica cores", "disk"})
"""The resources of which more work takes more, in proportion."""


def most_visits(solution: Solution, name: str) -> float | None:
    """Return the visits per second at which a resource of a tier, or of one that it calls, is full; None without any.

    Traffic of others below stays as it is. *Approximate*: that waiting holds threads longer is not counted.
    """
    rate = solution.arrivals(name).rate
    if rate == 0:
        return None
    ends = [rate / u for u in _utilizations(solution, name)]
    waited = {flow.to for flow in solution.traffic.flows[name] if not solution.system.decouples(flow.to)}
    for callee in sorted(waited):
        ours = sum(flow.reads + flow.writes for flow in solution.traffic.flows[name] if flow.to == callee)
        share = ours / solution.arrivals(callee).rate if solution.arrivals(callee).rate else 0.0
        below = most_visits(solution, callee)
        if below is not None and share > 0:
            left = below / solution.arrivals(callee).rate - 1
            ends.append(rate * max(0.0, 1 + left / share))
    return min(ends) if ends else None


def _utilizations(solution: Solution, name: str) -> list[float]:
    root = solution.places[name].root
    found = limits(solution, name) if root == name else [*limits(solution, name), *limits(solution, root)]
    return [limit.utilization for limit in found if limit.resource in _GROWS and limit.utilization > 0]
