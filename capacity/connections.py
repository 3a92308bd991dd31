"""Who keeps how many connections open to whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capacity.solve import Solution
    from capacity.system import System


def connections(solution: Solution, name: str) -> float:
    """Return the connections that all callers keep open to each node of a tier.

    A caller's pool is what its call says; else its threads, each of which may hold one; else, without a limit on
    threads, what is in use on average (Little's law), which a real pool exceeds.
    """
    system = solution.system
    total = 0.0
    for caller, tier in system.tiers.items():
        # Nodes that a deploy starts open their pools before the old ones close theirs.
        nodes = solution.places[caller].nodes + solution.places[caller].surging
        calls = [call for call in tier.calls_made() if reaches(system, call.to, name)]
        if not calls or nodes == 0:
            continue
        threads = tier.thread_limit(replace(solution.places[caller], nodes=nodes))
        own = [call.pool for call in calls if call.pool is not None]
        if len(own) == len(calls):
            total += nodes * sum(own)
        elif threads is not None:
            total += max(threads, nodes * max(own, default=0))
        else:
            total += _in_use(solution, caller, name) / max(1, solution.places[name].nodes)
    return total


def reaches(system: System, asked: str, name: str) -> bool:
    """Return whether whoever asks a tier has connections to another: the same one, or what a cache asks on a miss."""
    if asked == name:
        return True
    origin = getattr(system.tiers[asked], "origin", None)
    return origin is not None and reaches(system, origin, name)


def _in_use(solution: Solution, caller: str, name: str) -> float:
    flows = [f for f in solution.traffic.flows[caller] if reaches(solution.system, f.to, name)]
    total = 0.0
    for flow in flows:
        latency = solution.latency(name, flow.request_class, "read")
        total += (flow.reads + flow.writes) * (latency.mean if latency is not None else 0.0)
    return total
