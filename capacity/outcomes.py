"""What becomes of a sized system in everything that may happen to it, told the same way for every scenario."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

from capacity.aftermath import facts
from capacity.evaluate import failure
from capacity.results import Busiest, Case, Failure, LimitResult, ScenarioClass, ScenarioResult
from capacity.scenarios import SCENARIOS, events, phrase
from capacity.verdict import class_latency, failed, limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from capacity.results import Evaluation
    from capacity.scenarios import Event
    from capacity.search import Search
    from capacity.solve import Solution
    from capacity.system import Counts


def with_scenarios(evaluation: Evaluation, search: Search, counts: Counts) -> Evaluation:
    """Return the evaluation with every scenario that this system can meet; feasible is what passes all required."""
    scenarios = {name: found for name in SCENARIOS if (found := outcome(search, name, counts)) is not None}
    feasible = all(result.passes for result in scenarios.values() if result.required)
    return msgspec.structs.replace(evaluation, scenarios=scenarios, feasible=feasible)


def outcome(search: Search, scenario: str, counts: Counts) -> ScenarioResult | None:
    """Return what becomes of the system in one scenario; None where it has nothing that this could happen to."""
    known = [event for event in (search.normal, *search.events) if event.scenario == scenario]
    cases = [case(search, event, counts) for event in known or events(search.system, scenario)]
    if not cases:
        return None
    worst = max(cases, key=_badness)
    return ScenarioResult(
        passes=all(case.passes for case in cases),
        required=bool(known),
        violations=_worst([failure for case in cases for failure in case.violations]),
        classes={name: _worst_seen(cases, name) for name in search.system.topology.workload.classes},
        worst=worst.subject,
        cases=cases,
    )


def case(search: Search, event: Event, counts: Counts) -> Case:
    """Return what becomes of the system in one event."""
    state = event.state(counts)
    solution = search.solved(state)
    when = phrase(event.scenario, event.subject)
    violations = [failure(violation, event.subject, when) for violation in search.everything(event, counts)]
    unserved = {c for name in state.gone for n in search.system.residents[name] for c in search.system.classes[n]}
    classes = {}
    for name in search.system.topology.workload.classes:
        latency = None if name in unserved else class_latency(solution, name)
        p99 = None if latency is None else latency.percentile(0.99)
        classes[name] = ScenarioClass(p99, 1.0 if latency is None else failed(solution, name))
    used = {name: limits(solution, name) for name in search.system.tiers}
    return Case(
        subject=event.subject,
        when=when,
        passes=not violations,
        violations=violations,
        excused=[name for name in (*classes, *used) if name in event.excused],
        classes=classes,
        busiest=_busiest(solution),
        limits={
            name: [LimitResult(x.resource, x.used, x.capacity, x.unit, x.utilization) for x in found]
            for name, found in used.items()
        },
        facts=facts(search, event, counts),
    )


def _busiest(solution: Solution) -> Busiest | None:
    found = [
        Busiest(name, limit.resource, limit.utilization)
        for name in solution.system.tiers
        for limit in limits(solution, name)
        if limit.ours
    ]
    return max(found, key=lambda busiest: busiest.utilization, default=None)


def _badness(case: Case) -> tuple[int, float, float]:
    """Return how bad a case is: by what it misses, then by its busiest resource, then by its slowest class."""
    missed = max((_excess(failure) for failure in case.violations), default=0.0)
    slowest = max((math.inf if c.p99_s is None else c.p99_s for c in case.classes.values()), default=0.0)
    return int(not case.passes), missed, max(case.busiest.utilization if case.busiest else 0.0, slowest * 1e-9)


def _excess(failure: Failure) -> float:
    return math.inf if failure.value is None or failure.limit == 0 else failure.value / failure.limit


def _worst_seen(cases: Sequence[Case], name: str) -> ScenarioClass:
    """Return the longest p99 of a class in any case, None where it is never answered, and the largest share failed."""
    found = [case.classes[name] for case in cases]
    known = [seen.p99_s for seen in found if seen.p99_s is not None]
    slowest = max(known) if len(known) == len(found) else None
    return ScenarioClass(slowest, max(seen.failed_fraction for seen in found))


def _worst(failures: Sequence[Failure]) -> list[Failure]:
    """Return for each limit or objective the case that misses it most."""
    worst: dict[tuple[str, str], Failure] = {}
    for one in failures:
        key = one.name, one.constraint
        known = worst.get(key)
        if known is None or (known.value is not None and (one.value is None or one.value > known.value)):
            worst[key] = one
    return list(worst.values())
