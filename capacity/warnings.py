"""What a careful reader should know: what was assumed, what is unknown, what the file declares and nobody computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.document import uncertain_fields
from capacity.errors import show_path
from capacity.results import Warning  # noqa: A004 - it is what users call it
from capacity.traffic import solve_traffic
from capacity.units import digits, show_percent
from capacity.verdict import failed, limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from capacity.solve import Solution
    from capacity.system import System
    from capacity.topology import Topology


def warnings(solution: Solution) -> list[Warning]:
    """Return every warning about a solved system, in the order of the file."""
    found = [*_failures(solution), *_of_tiers(solution), *_without_effect(solution)]
    return [*found, *_not_computed(solution.system.topology)]


def _of_tiers(solution: Solution) -> Iterator[Warning]:
    system = solution.system
    given = system.given()
    for name, tier in system.tiers.items():
        place, arrivals = solution.places[name], solution.arrivals(name)
        if not place.classes:
            yield Warning(name, "unreached", "no request class reaches this tier")
            continue
        for code, message in tier.unknowns(place, arrivals):
            yield Warning(name, code, message)
        yield from _partner(solution, name)
        partitions = system.partitions.get(name)
        if partitions is not None and name in given and given[name] > partitions:
            idle = given[name] - partitions
            yield Warning(name, "idle_consumers", f"{idle} of {given[name]} nodes idle: {partitions} partitions")
        share = solution.timed_out_shares.get(name, 0.0)
        if share > 0.01:
            yield Warning(name, "timeouts", f"{show_percent(share)} of tries to call it end in a timeout")


def _failures(solution: Solution) -> Iterator[Warning]:
    """Yield what share of requests fails, and how much of a tier's load is tries that follow failed ones."""
    for name in solution.system.topology.workload.classes:
        share = failed(solution, name)
        if share > 1e-4:
            text = (
                f"{show_percent(share)} of {name} requests end in a failed call; they count as missing every percentile"
            )
            yield Warning(None, "failed_requests", text)
    if any(tries > 1.01 for tries in solution.attempts.values()):
        first_tries = solve_traffic(solution.system, solution.places, {})
        for name in solution.system.tiers:
            now, without = solution.arrivals(name).rate, first_tries.arrivals[name].rate
            if now > without * 1.01:
                yield Warning(name, "retries", f"{digits(now - without)}/s of its {digits(now)}/s are retries")


def _without_effect(solution: Solution) -> Iterator[Warning]:
    """Yield what the file declares where it means nothing."""
    system = solution.system
    callers, limited = _callers(system)
    for name, tier in system.tiers.items():
        for index, call in enumerate(tier.calls_made()):
            if system.decouples(call.to) and (call.timeout is not None or call.retries or call.parallel or call.pool):
                where = show_path(("components", name, "calls", index))
                yield Warning(name, "without_effect", f"{where}: {call.to} is not waited for: no timeout, retry, pool")
            if call.writes > 0 and not system.tiers[call.to].stores:
                where = show_path(("components", name, "calls", index, "writes"))
                yield Warning(name, "without_effect", f"{where}: {call.to} stores nothing")
            if (
                call.retries
                and call.timeout is None
                and system.tiers[call.to].rejected(solution.arrivals(call.to)) == 0
            ):
                where = show_path(("components", name, "calls", index, "retries"))
                yield Warning(name, "without_effect", f"{where}: without a timeout nothing is tried again")
        for field in tier.without_effect(solution.places[name]):
            yield Warning(
                name, "without_effect", f"{show_path(('components', name, *field.split('.')))} means nothing here"
            )
        if limited[name] and name not in system.partitions:
            text = f"the partitions of {', '.join(limited[name])} are not counted: {name} has other work too"
            yield Warning(name, "partitions_not_counted", text)
        if tier.host is not None and tier.satisfied_at(None) is not None:
            strangers = [n for n in sorted(callers[name]) if system.roots[n] != system.roots[name]]
            if strangers:
                text = f"lives on {tier.host}, but {', '.join(strangers)} calls it: host it where it is called"
                yield Warning(name, "far_from_caller", text)


def _callers(system: System) -> tuple[dict[str, set[str]], dict[str, list[str]]]:
    """Return by tier who calls it, and which of them allow only so many of its nodes to take part."""
    callers: dict[str, set[str]] = {name: set() for name in system.tiers}
    limited: dict[str, list[str]] = {name: [] for name in system.tiers}
    for name, tier in system.tiers.items():
        for to, _, _ in tier.outgoing():
            callers[to].add(name)
        if tier.consumer_limit() is not None:
            for to in set(tier.destinations("")):
                limited[to].append(name)
    return callers, limited


def _partner(solution: Solution, name: str) -> Iterator[Warning]:
    """Yield what is close to a limit that nothing we buy can raise."""
    ceiling = solution.system.topology.slo.utilization
    for limit in limits(solution, name):
        if not limit.ours and ceiling < limit.utilization < 1:
            used = f"{digits(limit.used)} of {digits(limit.capacity)} {limit.unit}"
            message = (
                f"{limit.resource} at {show_percent(limit.utilization)} ({used}), a limit that no node of ours raises"
            )
            yield Warning(name, "partner_limit", message)
    rejected = solution.system.tiers[name].rejected(solution.arrivals(name))
    if rejected > 0:
        yield Warning(name, "rejected", f"{show_percent(rejected)} of calls are turned away at its limit")


def _not_computed(topology: Topology) -> Iterator[Warning]:
    """Yield what the file declares and this version does not take into account yet, by name."""
    used = {tier.node for tier in topology.components.values()}
    for path, interval in uncertain_fields(topology):
        if path[0] == "node_types" and path[1] not in used:
            continue
        span = interval.written or f"{digits(interval.low)} to {digits(interval.high)} in base units"
        yield Warning(
            str(path[1]) if path[0] == "components" else None,
            "likeliest_value",
            f"{show_path(path)} is uncertain ({span}): its likeliest value is used",
        )
