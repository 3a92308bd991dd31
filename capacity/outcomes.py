"""What becomes of a sized system in everything that may happen to it, told the same way for every scenario."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import msgspec

from capacity.aftermath import facts
from capacity.decode import nearest
from capacity.errors import UsageError, ascii_quoted, show_path
from capacity.evaluate import describe, failure, tier_result
from capacity.money import cost
from capacity.results import (
    Busiest,
    Case,
    During,
    Failure,
    Lifetimes,
    LimitResult,
    Response,
    ScenarioClass,
    ScenarioResult,
    Slo,
    excess,
)
from capacity.results import Warning as Notice
from capacity.scenarios import SCENARIOS, events, phrase
from capacity.units import show_availability, show_percent, show_seconds
from capacity.uptime import Uptime
from capacity.verdict import class_latency, failed, limits
from models.availability import downtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from capacity.components.exchange import Limit
    from capacity.results import ClassResult, Evaluation, TierResult
    from capacity.scenarios import Event
    from capacity.search import Search
    from capacity.solve import Solution
    from capacity.system import Counts, System
    from capacity.uptime import TierUptime


_CURES: Final = {
    "zone": ": resilience.zones is 1",
    "mean": ": workload.peak_to_mean is 1",
}
"""What the file would have to say otherwise."""


def with_scenarios(evaluation: Evaluation, search: Search, counts: Counts) -> Evaluation:
    """Return the evaluation with every scenario that this system can meet; feasible is what passes all required."""
    scenarios = {name: found for name in SCENARIOS if (found := outcome(search, name, counts)) is not None}
    feasible = all(result.passes for result in scenarios.values() if result.required)
    notices = [*evaluation.warnings, *_full_in_failover(scenarios)]
    return msgspec.structs.replace(evaluation, scenarios=scenarios, feasible=feasible, warnings=notices)


def _full_in_failover(scenarios: Mapping[str, ScenarioResult]) -> Iterator[Notice]:
    """Yield the tiers whose threads are all taken before another primary takes writes: no verdict judges that time."""
    for found in scenarios["primary"].cases if "primary" in scenarios else ():
        fact = found.facts.get(found.subject or "", {})
        for tier, seconds in fact.get("threads_full_s", {}).items():
            if seconds is not None and fact.get("failover_s"):
                text = f"its threads are all taken {show_seconds(seconds)} into the failover of {found.subject}"
                until = f"nobody is answered from then until {show_seconds(fact['failover_s'])}"
                cure = "a timeout or a pool on the calls that write would keep some free"
                yield Notice(tier, "threads_full_in_failover", f"{text}: {until}; {cure}")


def during(search: Search, counts: Counts, asked: str) -> Evaluation:
    """Return the whole evaluation as it is in one case of a scenario, asked for as NAME or NAME:SUBJECT.

    Raises UsageError for what is no scenario, or none that this system can meet.
    """
    event = asked_event(search, counts, asked)
    scenario = event.scenario
    found, state = case(search, event, counts), event.state(counts)
    evaluation = describe(search.solved(state))
    unserved = _unserved(search, state.gone)
    classes = {n: _silent(result) if n in unserved else result for n, result in evaluation.classes.items()}
    tiers = evaluation.tiers | {
        resident: _gone(evaluation.tiers[resident], *((left, least) if resident == root else (0, 1)))
        for root, (left, least) in zip(state.gone, state.left, strict=True)
        for resident in search.system.residents[root]
    }
    if event.scenario == "partner_down":
        tiers = {n: _drained(result, search.at(counts), n) for n, result in tiers.items()}
    outcome = ScenarioResult(
        passes=found.passes,
        required=True,
        violations=found.violations,
        classes=found.classes,
        worst=event.subject,
        cases=[found],
    )
    return msgspec.structs.replace(
        evaluation,
        classes=classes,
        tiers=tiers,
        feasible=found.passes,
        scenarios={scenario: outcome},
        cost=cost(search.at(counts)),
        during=During(scenario, event.subject, found.when),
    )


def asked_event(search: Search, counts: Counts, asked: str) -> Event:
    """Return the event that NAME or NAME:SUBJECT means, without a subject the worst of the scenario.

    Raises UsageError for what is no scenario, or none that this system can meet.
    """
    scenario, _, subject = asked.partition(":")
    if scenario not in SCENARIOS:
        near = nearest(scenario, SCENARIOS)
        hint = f"; did you mean {near}?" if near else ""
        raise UsageError(f"--scenario {ascii_quoted(scenario)}: there are {', '.join(SCENARIOS)}{hint}")
    known = [event for event in (search.normal, *search.events) if event.scenario == scenario]
    found = known or events(search.system, scenario)
    subjects = [event.subject for event in found if event.subject is not None]
    if not found or (subject and subject not in subjects):
        cure = _CURES.get(scenario, "") if not subjects else ""
        there = f"it can happen to {', '.join(subjects)}" if subjects else f"nothing here that it could happen to{cure}"
        raise UsageError(f"--scenario {ascii_quoted(scenario + (':' + subject if subject else ''))}: {there}")
    if subject:
        return next(event for event in found if event.subject == subject)
    return max(found, key=lambda event: _badness(case(search, event, counts)))


def solved_during(search: Search, counts: Counts, happening: During | None) -> Solution:
    """Return the solved system in what an evaluation is of; None is normal operation."""
    if happening is None:
        return search.at(counts)
    asked = happening.scenario if happening.subject is None else f"{happening.scenario}:{happening.subject}"
    return search.solved(asked_event(search, counts, asked).state(counts))


def _unserved(search: Search, gone: Sequence[str]) -> set[str]:
    """Return the classes that reach a tier of which nothing is left."""
    system, lost = search.system, _lost(search, gone)
    classes = system.topology.workload.classes
    return {name for name, declared in classes.items() if lost & system.waited_for(declared.entry, name)}


def _lost(search: Search, gone: Sequence[str]) -> set[str]:
    """Return the tiers of which nothing is left, and all that lived on their machines."""
    return {n for name in gone for n in search.system.residents[name]}


def _silent(result: ClassResult) -> ClassResult:
    """Return a class that is not answered."""
    times: dict[str, Any] = dict.fromkeys(("mean_s", "p50_s", "p90_s", "p95_s", "p99_s", "p999_s"))
    slo = [msgspec.structs.replace(goal, value=None, met=False) for goal in result.slo]
    return msgspec.structs.replace(result, **times, failed_fraction=1.0, slo=slo)


def _gone(result: TierResult, left: int, least: int) -> TierResult:
    """Return a tier of which too few nodes are left to serve: of each shard `left`, where `least` would."""
    nothing: dict[str, Any] = dict.fromkeys(("utilization", "headroom", "binding", "wait_mean_s", "total_mean_s"))
    nothing |= {"limits": [], "response": Response(), "serves": False, "nodes_needed": least}
    details, count = result.details, left
    if result.counted == "replicas":
        count = max(left - 1, 0)
        details = {key: value for key, value in details.items() if key != "lag"} | {"replicas": count}
        if "quorum" in details:
            details["quorum"] = details["quorum"] | {"nodes": left, "strict": False}
    nodes = left * int(details.get("shards", 1))
    return msgspec.structs.replace(result, **nothing, nodes=nodes, count=count, details=details)


def _drained(result: TierResult, calm: Solution, name: str) -> TierResult:
    """Return a queue that drains as it does once a partner is back, with all its limits."""
    if "drain_s" not in result.details:
        return result
    drain = tier_result(calm, name).details["drain_s"]
    return msgspec.structs.replace(result, details=result.details | {"drain_s": drain})


def with_uptime(evaluation: Evaluation, search: Search, counts: Counts) -> Evaluation:
    """Return the evaluation with the availability of every class and tier."""
    uptime = Uptime(search, counts)
    missed = {violation.name for violation in uptime.violations(overloaded=True)}
    classes = {n: _with_class_uptime(result, uptime, n, missed) for n, result in evaluation.classes.items()}
    tiers = {name: _with_tier_uptime(result, uptime.tier(name)) for name, result in evaluation.tiers.items()}
    r = search.system.topology.resilience
    lifetimes = Lifetimes(
        float(r.node_mtbf), float(r.node_mttr), r.zones, float(r.zone_mtbf), float(r.zone_mttr),
        float(r.restarts), float(r.restart_time),
    )  # fmt: skip
    notices = [*evaluation.warnings, *_unjudged(classes, search.system)]
    return msgspec.structs.replace(evaluation, classes=classes, tiers=tiers, lifetimes=lifetimes, warnings=notices)


def with_uptime_of(evaluation: Evaluation, before: Evaluation, wanted: float | None) -> Evaluation:
    """Return the evaluation with the availability of a similar system, to be shown until its own has been worked out.

    Whether that is enough is taken over as well, where as much is `wanted` now as was then.
    """
    if evaluation.lifetimes is not None:
        return evaluation
    classes, tiers = dict(evaluation.classes), dict(evaluation.tiers)
    for name in classes.keys() & before.classes.keys():
        then = before.classes[name]
        judged = classes[name].p99_s is not None  # who is not answered is never up
        goals = [goal for goal in then.slo if judged and goal.name == "availability" and goal.limit == wanted]
        taken = {field: getattr(then, field) for field in _OF_CLASSES}
        classes[name] = msgspec.structs.replace(classes[name], slo=[*classes[name].slo, *goals], **taken)
    for name in tiers.keys() & before.tiers.keys():
        taken = {field: getattr(before.tiers[name], field) for field in _OF_TIERS}
        tiers[name] = msgspec.structs.replace(tiers[name], **taken)
    notices = [*evaluation.warnings, *(notice for notice in before.warnings if notice.code == _UNJUDGED)]
    found = {"classes": classes, "tiers": tiers, "lifetimes": before.lifetimes, "warnings": notices}
    return msgspec.structs.replace(evaluation, **found)


_OF_CLASSES: Final = (
    "availability", "availability_at_most", "downtime_s_per_month", "availability_limited_by", "availability_unknown",
)  # fmt: skip
_OF_TIERS: Final = ("nodes_needed", "availability", "downtime_s_per_month")
"""What is told of a class and of a tier with its availability."""

_UNJUDGED: Final = "availability_unknown"
"""The code of notices of what nobody can judge."""


def _with_class_uptime(result: ClassResult, uptime: Uptime, name: str, missed: AbstractSet[str]) -> ClassResult:
    """Return a class with its availability; one that an overload leaves unanswered is never up."""
    seen, wanted = uptime.of_class(name), uptime.system.topology.slo.availability
    known = 0.0 if seen is None else 1 - seen.unavailability
    unknown = [] if seen is None else list(seen.unknown)
    met = False if name in missed else None if unknown else True
    goal = [] if wanted is None else [Slo("availability", float(wanted), known, met, unknown)]
    return msgspec.structs.replace(
        result,
        availability=None if seen is None or unknown else known,
        availability_at_most=known,
        downtime_s_per_month=downtime(1.0 if seen is None else seen.unavailability),
        availability_limited_by=_limited_by(uptime, name),
        availability_unknown=unknown,
        slo=[*result.slo, *goal],
    )


def _limited_by(uptime: Uptime, name: str) -> str | None:
    """Return what a class owes most of its downtime to."""
    seen = uptime.of_class(name)
    if seen is None:
        return f"overload of {uptime.overload(name)}"
    if seen.limited_by is None and seen.failing > 0:
        return f"{show_percent(seen.failing)} of requests, which fail in normal operation"
    return seen.limited_by


def _unjudged(classes: Mapping[str, ClassResult], system: System) -> Iterator[Notice]:
    """Yield the availabilities that are wanted and that nobody can judge, with the key that is missing."""
    for name, result in classes.items():
        for slo in result.slo:
            if slo.met is None:
                reached = f"at most {show_availability(slo.value or 0.0)}"
                # Of nodes of our own only spot is unknown: how often it is taken away.
                spot = "money.spot_interruptions"
                paths = [
                    spot if system.takes_nodes(n) else show_path(("components", n, "availability")) for n in slo.unknown
                ]
                keys = ", ".join(dict.fromkeys(paths))
                text = f"{name} availability cannot be judged: {reached}, {keys} unknown"
                yield Notice(None, _UNJUDGED, text)


def _with_tier_uptime(result: TierResult, seen: TierUptime | None) -> TierResult:
    if seen is None:
        return result
    down = seen.unavailability
    return msgspec.structs.replace(
        result,
        nodes_needed=seen.needed,
        availability=None if down is None else 1 - down,
        downtime_s_per_month=None if down is None else downtime(down),
    )


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
    unserved = _unserved(search, state.gone)
    classes = {}
    for name in search.system.topology.workload.classes:
        latency = None if name in unserved else class_latency(solution, name)
        p99 = None if latency is None else latency.percentile(0.99)
        classes[name] = ScenarioClass(p99, 1.0 if latency is None else failed(solution, name))
    lost = _lost(search, state.gone)
    used = {name: [] if name in lost else limits(solution, name) for name in search.system.tiers}
    return Case(
        subject=event.subject,
        when=when,
        passes=not violations,
        violations=violations,
        excused=[
            n for scope, names in (("class", classes), ("tier", used)) for n in names if (scope, n) in event.excused
        ],
        classes=classes,
        busiest=_busiest(used),
        limits={
            name: [LimitResult(x.resource, x.used, x.capacity, x.unit, x.utilization) for x in found]
            for name, found in used.items()
        },
        facts=facts(search, event, counts),
    )


def _busiest(used: Mapping[str, Sequence[Limit]]) -> Busiest | None:
    found = [
        Busiest(name, limit.resource, limit.utilization)
        for name, of_tier in used.items()
        for limit in of_tier
        if limit.ours
    ]
    return max(found, key=lambda busiest: busiest.utilization, default=None)


def _badness(case: Case) -> tuple[int, float, float]:
    """Return how bad a case is: by what it misses, then by its busiest resource, then by its slowest class."""
    missed = max((excess(failure) for failure in case.violations), default=0.0)
    slowest = max((math.inf if c.p99_s is None else c.p99_s for c in case.classes.values()), default=0.0)
    return int(not case.passes), missed, max(case.busiest.utilization if case.busiest else 0.0, slowest * 1e-9)


def _worst_seen(cases: Sequence[Case], name: str) -> ScenarioClass:
    """Return the longest p99 of a class in any case, None where it is never answered, and the largest share failed."""
    found = [case.classes[name] for case in cases]
    known = [seen.p99_s for seen in found if seen.p99_s is not None]
    slowest = max(known) if len(known) == len(found) else None
    return ScenarioClass(slowest, max(seen.failed_fraction for seen in found))


def _worst(failures: Sequence[Failure]) -> list[Failure]:
    """Return for each limit or objective the case that misses it most."""
    worst: dict[tuple[str, str, str], Failure] = {}
    for one in failures:
        key = one.scope, one.name, one.constraint
        known = worst.get(key)
        if known is None or (known.value is not None and (one.value is None or one.value > known.value)):
            worst[key] = one
    return list(worst.values())
