"""Topology to Evaluation: the one pure function that everything stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.flows import call_rates
from capacity.money import cost, monthly
from capacity.results import (
    ClassResult,
    Evaluation,
    Failure,
    LimitResult,
    Response,
    ScenarioClass,
    ScenarioResult,
    Slo,
    TierResult,
)
from capacity.solve import solve
from capacity.system import resolve
from capacity.verdict import FRACTIONS, Violation, class_latency, failed, goals, limits, violations
from capacity.warnings import warnings
from models.latency import Latency, mixed
from models.transforms import Mixture, PiecewiseHazard, Repeated, Stretched, Sum

if TYPE_CHECKING:
    from capacity.components.exchange import Answer
    from capacity.solve import Solution
    from capacity.topology import Topology
    from models.transforms import Transform

_NOT_EXACT = (Mixture, PiecewiseHazard)
"""Parts of a response time that stand for more than one path, or for a distribution kept on a grid."""


def evaluate(topology: Topology) -> Evaluation:
    """Return everything about a topology with the counts that it gives; what it leaves out is the least possible.

    Pure: equal topologies give equal evaluations. Never raises for an overloaded system: that is an answer.
    """
    system = resolve(topology)
    return describe(solve(system, system.least()))


def describe(solution: Solution) -> Evaluation:
    """Return the evaluation of a solved system."""
    system = solution.system
    topology = system.topology
    for name, goal in topology.slo.latency.items():
        latency = class_latency(solution, name)
        if latency is not None:
            wanted = [limit for key, limit in goals(goal) if key in FRACTIONS]
            latency.percentiles(list(FRACTIONS.values()), wanted)
    found = violations(solution)
    missed = {(v.name, v.constraint) for v in found if v.scope == "class"}
    classes = {name: _class_result(solution, name, missed) for name in topology.workload.classes}
    seen = {name: ScenarioClass(c.p99_s, c.failed_fraction) for name, c in classes.items()}
    normal = [failure(violation) for violation in found]
    return Evaluation(
        name=topology.name,
        feasible=not found,
        utilization_ceiling=float(topology.slo.utilization),
        peak_to_mean=float(topology.workload.peak_to_mean),
        classes=classes,
        tiers={name: tier_result(solution, name) for name in system.tiers},
        scenarios={"normal": ScenarioResult(passes=not found, required=True, violations=normal, classes=seen)},
        cost=cost(solution),
        warnings=warnings(solution),
        calls=call_rates(solution.traffic),
    )


def failure(violation: Violation, subject: str | None = None, when: str = "") -> Failure:
    """Return a violation as it is reported, with what happened at that moment."""
    v = violation
    return Failure(v.scope, v.name, v.constraint, v.value, v.limit, v.unit, subject, when)


def _class_result(solution: Solution, name: str, missed: set[tuple[str, str]]) -> ClassResult:
    topology = solution.system.topology
    rate = topology.workload.classes[name].rate * topology.workload.peak_to_mean
    latency = class_latency(solution, name)
    goal = topology.slo.latency.get(name)
    values: dict[str, float | None] = dict.fromkeys(("mean", *FRACTIONS))
    if latency is not None:
        values = dict(zip(FRACTIONS, latency.percentiles(list(FRACTIONS.values())), strict=True))
        values["mean"] = latency.mean
    slo = [Slo(key, limit, values[key], (name, key) not in missed) for key, limit in (goals(goal) if goal else [])]
    return ClassResult(
        arrival_rate_per_s=float(rate),
        mean_s=values["mean"],
        p50_s=values["p50"],
        p90_s=values["p90"],
        p95_s=values["p95"],
        p99_s=values["p99"],
        p999_s=values["p999"],
        failed_fraction=failed(solution, name),
        availability=None,
        exact=latency is not None and _exact(latency),
        slo=slo,
    )


def _exact(latency: Latency) -> bool:
    """Whether a response time is exact for its model: one path, at most one wait, itself exact, nothing on a grid."""
    term = latency.terms[0]
    parts = [*(wait for wait, _ in term.marks), term.smooth]
    return len(latency.terms) == 1 and sum(n for _, n in term.marks) <= 1 and all(_exact_part(part) for part in parts)


def _exact_part(part: Transform) -> bool:
    if isinstance(part, Sum):
        return all(_exact_part(inner) for inner in part.parts)
    if isinstance(part, Repeated | Stretched):
        return _exact_part(part.part)
    return bool(getattr(part, "exact", not isinstance(part, _NOT_EXACT)))


def tier_result(solution: Solution, name: str) -> TierResult:
    """Return what is to be told of one tier of a solved system."""
    system, place, arrivals = solution.system, solution.places[name], solution.arrivals(name)
    tier = system.tiers[name]
    found = limits(solution, name)
    binding = max(found, key=lambda limit: limit.utilization, default=None)
    utilization = None if binding is None else binding.utilization
    if place.hosted and binding is None:
        host = max(limits(solution, place.root), key=lambda limit: limit.utilization, default=None)
        binding, utilization = host, None if host is None else host.utilization
    visits = _visits(solution, name)
    own = _mixed([(rate, answer.own) for rate, answer in visits])
    response = _response(own)
    nodes = tier.machines(place.count) if not place.hosted else place.nodes
    priced = not place.hosted and place.machine is not None
    details = tier.details(place, arrivals, solution)
    return TierResult(
        kind=str(tier.__struct_config__.tag),
        node=tier.node,
        nodes=nodes,
        host=tier.host,
        count=place.count,
        counted=tier.counted,
        arrival_rate_per_s=arrivals.rate,
        utilization=utilization,
        headroom=None if utilization is None else 1 - utilization,
        binding=None if binding is None else binding.resource,
        limits=[LimitResult(x.resource, x.used, x.capacity, x.unit, x.utilization) for x in found],
        wait_mean_s=_wait_mean(own),
        response=response,
        total_mean_s=_mean_total(visits),
        exact=own is not None and _exact(own),
        method=_method(solution, name, own),
        why=[],
        monthly_cost=monthly(system, name, place.count) if priced else None,
        slo=[
            Slo(t.name, t.limit, None if t.latency is None else t.latency.percentile(t.fraction), t.met)
            for t in tier.targets(place, arrivals, solution)
        ],
        details=details,
    )


def _visits(solution: Solution, name: str) -> list[tuple[float, Answer]]:
    """Return every kind of visit to a tier with its rate."""
    arrivals, found = solution.arrivals(name), []
    for request_class in arrivals.classes:
        reads, writes = arrivals.reads[request_class], arrivals.writes[request_class]
        found += [(reads, solution.answers[name, request_class, "read"])] if reads > 0 else []
        found += [(writes, solution.answers[name, request_class, "write"])] if writes > 0 else []
    return found


def _mixed(visits: list[tuple[float, Latency | None]]) -> Latency | None:
    """Return the response time over all visits, None where one of them has none."""
    total = sum(rate for rate, _ in visits)
    latencies = [latency for _, latency in visits if latency is not None]
    if not visits or len(latencies) < len(visits):
        return None
    return mixed([rate / total for rate, _ in visits], latencies)


def _mean_total(visits: list[tuple[float, Answer]]) -> float | None:
    """Return the mean over all visits of the time with all that they wait for; None where one of them has none."""
    totals = [(rate, answer.total.mean) for rate, answer in visits if answer.total is not None]
    if not visits or len(totals) < len(visits):
        return None
    return sum(rate * mean for rate, mean in totals) / sum(rate for rate, _ in totals)


def _wait_mean(own: Latency | None) -> float | None:
    """Return the mean wait of one visit: for a thread, a core, or a partner's limit."""
    if own is None:
        return None
    return sum(term.weight * n * wait.mean for term in own.terms for wait, n in term.marks)


def _response(latency: Latency | None) -> Response:
    if latency is None:
        return Response()
    p50, p95, p99 = latency.percentiles([0.5, 0.95, 0.99]) if latency.mean > 0 else (0.0, 0.0, 0.0)
    return Response(latency.mean, p50, p95, p99)


def _method(solution: Solution, name: str, own: Latency | None) -> str:
    """Return the name of the model that gave a tier's response time."""
    place = solution.places[name]
    own_model = solution.system.tiers[name].method(place)
    station = next((s for s in solution.stations.get(place.root, {}).values() if s.rate > 0), None)
    if station is None:
        return "pure delay" if own is not None else "none"
    if station.wait is None:
        return "overloaded"
    if own_model is not None:
        return own_model
    if station.wait.exact:
        return "M/M/c or M/G/1"
    if station.pool.hot_share is not None:
        return "M/M/1 per node, the busiest by its key"
    names = {
        "least_connections": "M/G/c, shortest queue",
        "round_robin": "G/G/c per node (Whitt 1993)",
        "random": "M/G/c per node (Tijms 1981)",
        "shared_queue": "M/G/c (Tijms 1981)",
    }
    return names[station.pool.balancing]
