"""Why a class is down for longer than the file allows, and what would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.errors import show_path
from capacity.results import Advice
from capacity.search import Search
from capacity.trial import with_zones
from capacity.units import rounded_up, show_availability, show_percent, show_seconds
from capacity.uptime import Uptime
from capacity.verdict import failed

if TYPE_CHECKING:
    from capacity.solve import Solution
    from capacity.system import Counts
    from capacity.trial import Trial
    from capacity.verdict import Violation


def too_often_down(trial: Trial, violation: Violation) -> Advice:
    """Return what keeps a class down for longer than is allowed."""
    search, counts = Search.of(trial.system), trial.counts
    seen = Uptime(search, counts).of_class(violation.name)
    reached = violation.value or 0.0
    zones, limited = search.system.topology.resilience.zones, seen.limited_by if seen is not None else None
    if seen is not None and limited is None and seen.failing > 0:
        return _failing(search.at(counts), violation)
    mends = []
    if limited is not None and search.system.tiers[limited].is_partner:
        mends.append(f"{at(limited)}.availability: a partner that promises more, or a queue in front of it")
    elif limited is not None and search.system.decouples(limited):
        mends.append(f"{at(limited)}.availability: brokers that promise more")
    elif zones == 1:
        key = violation.key
        enough = next((n for n in (2, 3) if trial.planned(with_zones(trial.topology, n), key)), None)
        mends += [] if enough is None else [f"resilience.zones: at least {enough}, each with machines of its own"]
    if limited is not None and search.system.tiers[limited].failover_time() > 0:
        mends.append(f"{at(limited)}.replication.failover_time: shorter")
    mends.append(f"slo.availability: at most {show_availability(floored(reached))}")
    best = f"{show_availability(reached)} at best, {show_availability(violation.limit)} wanted"
    most = f" (most by {limited})" if limited is not None else ""
    return Advice(f"{violation.name}: availability{most}", best, mends)


def _failing(solution: Solution, violation: Violation) -> Advice:
    """Return which calls of a class fail while everything is up."""
    system, name = solution.system, violation.name
    mends = []
    for called in sorted(system.waited_for(system.topology.workload.classes[name].entry, name)):
        tier = system.tiers[called]
        if tier.rejected(solution.arrivals(called)) > 0:
            fields = [field for field in ("rate_limit", "concurrency_limit") if getattr(tier, field, None) is not None]
            mends += [f"{at(called)}.{field}: more than {getattr(tier, field):g}" for field in fields]
        for index, call in enumerate(tier.calls_made()):
            where = show_path(("components", called, "calls", index))
            if call.timeout is not None and call.to in solution.timed_out_shares:
                mends.append(f"{where}.timeout: longer than {show_seconds(call.timeout)}")
            if call.pool is not None:
                mends.append(f"{where}.pool: more than {call.pool}")
    reached = violation.value or 0.0
    mends.append(f"slo.availability: at most {show_availability(floored(reached))}")
    best = f"{show_availability(reached)} at best, {show_availability(violation.limit)} wanted"
    share = show_percent(failed(solution, name))
    return Advice(
        f"{name}: availability ({share} of its requests fail in normal operation with the counts shown)", best, mends
    )


def never_up(search: Search, counts: Counts) -> list[Advice]:
    """Return the classes that an overload leaves unanswered, where the file wants them up."""
    wanted, uptime = search.system.topology.slo.availability, Uptime(search, counts)
    if wanted is None:
        return []
    found = []
    for name in search.system.topology.workload.classes:
        if uptime.of_class(name) is None:
            best = f"0% at best, {show_availability(wanted)} wanted"
            mend = f"what mends the overload of {uptime.overload(name)}"
            found.append(Advice(f"{name}: availability", best, [mend]))
    return found


def floored(availability: float) -> float:
    """Return an availability with three digits of what lacks, rounded so that following the advice is enough."""
    return 1 - rounded_up(1 - availability) if availability < 1 else 1.0


def at(name: str) -> str:
    """Return the key path of a tier."""
    return show_path(("components", name))
