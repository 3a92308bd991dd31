"""What a solved system uses of each resource, and which limits and objectives it does not meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from capacity.components.exchange import ROUNDING, Limit, meets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.components.exchange import Place
    from capacity.solve import Solution
    from models.latency import Latency

FRACTIONS: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}


@dataclass(frozen=True)
class Violation:
    """One limit or objective that is not met.

    `value` is what was reached, None where an overload leaves no value; `limit` what is allowed, in `unit`.
    """

    scope: Literal["tier", "class"]
    name: str
    constraint: str
    value: float | None
    limit: float
    unit: str
    mend: str | None = None
    capacity: float | None = None
    """For a limit: the whole of it, of which the ceiling allows `limit`."""
    failed: float = 0.0
    """For an objective: the share of requests that fail, however fast."""

    @property
    def key(self) -> tuple[str, str, str]:
        """Which limit or objective this is, whatever was reached: a class and a tier may have one name."""
        return self.scope, self.name, self.constraint

    @property
    def is_by_failures(self) -> bool:
        """Whether an objective is missed because too many requests fail, not because those answered are slow."""
        return self.failed > 0 and self.value is not None and self.value <= self.limit

    @property
    def short(self) -> float | None:
        """By which factor the value exceeds what is allowed."""
        return None if self.value is None or self.limit == 0 else self.value / self.limit


def limits(solution: Solution, name: str) -> list[Limit]:
    """Return every limit of a tier that has an input, the cores first."""
    if name not in solution.limits:
        solution.limits[name] = _limits(solution, name)
    return solution.limits[name]


def _limits(solution: Solution, name: str) -> list[Limit]:
    system, place = solution.system, solution.places[name]
    tier, arrivals = system.tiers[name], solution.arrivals(name)
    found = []
    if not place.hosted:
        for station in solution.stations.get(name, {}).values():
            cores = station.pool.nodes * station.pool.servers
            if cores:
                found.append(Limit(station.pool.name, station.utilization * cores, cores, "cores", mend="node"))
        found += _shared(solution, place)
    pool = solution.thread_pools.get(name)
    if pool is not None:
        used = pool.in_use if pool.wait is not None else max(pool.in_use, pool.threads * (1 + 1e-6))
        used = pool.threads if name in solution.blocked else used
        found.append(Limit("threads", used, pool.threads, "threads", mend="threads"))
    return found + tier.limits(place, arrivals, solution)


def _shared(solution: Solution, place: Place) -> Iterator[Limit]:
    """Yield memory and network of a machine, which all tiers on it use together."""
    machine, residents = place.machine, solution.system.residents[place.name]
    if machine is None or place.nodes == 0:
        return
    taken = [solution.system.tiers[r].memory_used(solution.places[r]) for r in residents]
    memory = sum(part for part in taken if part is not None)
    if machine.memory is not None and memory > 0:
        yield Limit("memory", memory, machine.memory, "B", mend="node")
    used = max(solution.networks[place.name]) / max(place.active, 1)
    if machine.network is not None and used > 0:
        yield Limit("network", used, machine.network, "B/s", mend="node")


def allowed(limit: Limit, ceiling: float) -> float:
    """Return how much of a limit may be used: the ceiling of what is ours, all of what is a partner's."""
    return limit.capacity * (ceiling if limit.ours else 1.0)


def violations(solution: Solution) -> list[Violation]:
    """Return everything that is not met: limits of tiers first, then objectives of tiers and classes."""
    return [*limit_violations(solution), *objective_violations(solution)]


def limit_violations(solution: Solution) -> Iterator[Violation]:
    """Yield the limits that are exceeded."""
    ceiling = solution.system.topology.slo.utilization
    for name in solution.system.tiers:
        residents = solution.system.residents.get(name, (name,))
        if all(solution.arrivals(resident).rate == 0 for resident in residents):
            continue
        found = limits(solution, name)
        for limit in found:
            most = allowed(limit, 1.0 if limit.foreseen and solution.conditions.surging else ceiling)
            full = not limit.ours and limit.used >= limit.capacity
            if name in solution.blocked and limit.resource == "threads":
                continue  # the overload below is what is not met
            if full or limit.used > most * (1 + ROUNDING):
                yield Violation("tier", name, limit.resource, limit.used, most, limit.unit, limit.mend, limit.capacity)
        place, tier = solution.places[name], solution.system.tiers[name]
        if place.nodes == 0 and tier.needs_node and tier.bearable_loss(place.count) > 0:
            yield Violation("tier", name, "nodes", 0.0, 1.0, "nodes", "nodes")


def objective_violations(solution: Solution) -> Iterator[Violation]:
    """Yield the objectives that are missed, by the probability at their limit and not by a percentile."""
    system = solution.system
    for name, tier in system.tiers.items():
        for target in tier.targets(solution.places[name], solution.arrivals(name), solution):
            if not target.met:
                value = None if target.latency is None else target.latency.percentile(target.fraction)
                yield Violation("tier", name, target.name, value, target.limit, "s", target.field, failed=target.failed)
    for name, goal in system.topology.slo.latency.items():
        latency = class_latency(solution, name)
        for key, limit in goals(goal):
            failing = failed(solution, name)
            if not meets(latency, FRACTIONS.get(key), limit, failing):
                yield Violation("class", name, key, reached(latency, key), limit, "s", failed=failing)


def class_latency(solution: Solution, name: str) -> Latency | None:
    """Return the response time that users of a class see."""
    return solution.latency(solution.system.topology.workload.classes[name].entry, name, "read")


def failed(solution: Solution, name: str) -> float:
    """Return the share of a class's requests in which a call fails after all its tries."""
    return solution.failed(solution.system.topology.workload.classes[name].entry, name)


def goals(goal: object) -> list[tuple[str, float]]:
    """Return the objectives of a class that are given."""
    return [(key, limit) for key in ("mean", *FRACTIONS) if (limit := getattr(goal, key)) is not None]


def reached(latency: Latency | None, key: str) -> float | None:
    """Return the mean or a percentile."""
    if latency is None:
        return None
    return latency.mean if key == "mean" else latency.percentile(FRACTIONS[key])
