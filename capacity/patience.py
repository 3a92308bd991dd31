"""Percentiles that no time meets, since too many requests fail: what longer timeouts would make of them.

A request that fails counts as missing every percentile. Where more of them fail than may miss it, even when nothing
waits, no later objective and no node helps: the calls that give up have to wait for longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from capacity.errors import show_path
from capacity.scenarios import SCENARIOS
from capacity.solve import solve
from capacity.system import resolve
from capacity.trial import calls_to, with_calls
from capacity.units import rounded_up, show_percent, show_seconds
from capacity.verdict import FRACTIONS, violations

if TYPE_CHECKING:
    from capacity.search import Conflict
    from capacity.solve import Solution
    from capacity.topology import Topology
    from capacity.trial import Trial
    from capacity.verdict import Violation

_LONGER: Final = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0)
"""Times the timeouts of a file that are tried, the shortest first."""

_ROOM: Final = (1.0, 1.1, 1.25, 1.6, 2.0, 3.0)
"""Times the percentile of those that are answered, which those that fail still push up."""


def unhindered(solution: Solution, violation: Violation) -> Violation:
    """Return what is left of an objective that is missed when nothing waits at all; as it is, where nothing is."""
    free = _free(solution)
    return next((v for v in violations(free) if v.key == violation.key), violation)


def hopeless(violation: Violation) -> bool:
    """Return whether more fail than may miss a percentile, so that no time is long enough."""
    return violation.failed > _may_miss(violation)


def failing(violation: Violation) -> str:
    """Return in words how many fail and how many may."""
    return f"{show_percent(violation.failed)} of its requests fail, {show_percent(_may_miss(violation))} may"


def longer(trial: Trial, conflict: Conflict) -> list[str]:
    """Return the timeouts with which few enough fail, and the objective that can be met then; tried."""
    violation = conflict.violation
    solution = _during(trial, conflict, trial.topology)
    giving_up = {
        (n, i) for (n, i, _), share in solution.timed_out.items() if share > 0 and _concerned(trial, violation, n)
    }
    calls = [(n, i, call) for n, i, call in calls_to(trial.system, set(trial.system.tiers)) if (n, i) in giving_up]
    if not calls:
        return []
    for factor in _LONGER:
        waiting = {(n, i): rounded_up(float(call.timeout or 0.0) * factor) for n, i, call in calls}
        told = ", ".join(
            f"{show_path(('components', n, 'calls', i, 'timeout'))}: at least {show_seconds(waiting[n, i])}"
            for n, i, _ in calls
        )
        topology = with_calls(trial.topology, {where: {"timeout": seconds} for where, seconds in waiting.items()})
        missed = _missed(trial, conflict, topology)
        if missed is None and trial.planned(topology, violation.key):
            return [told]
        if missed is None or missed.value is None or hopeless(missed):
            continue
        for room in _ROOM:
            enough = rounded_up(missed.value * room)
            changed, where = _objective(topology, violation, enough)
            if changed is topology:
                break
            if _missed(trial, conflict, changed) is None and trial.planned(changed, violation.key):
                return [f"{told}, with {where}: at least {show_seconds(enough)}"]
    return []


def _may_miss(violation: Violation) -> float:
    fraction = FRACTIONS.get(violation.constraint.rsplit(" ", maxsplit=1)[-1])
    return 1.0 if fraction is None else 1 - fraction


def _concerned(trial: Trial, violation: Violation, caller: str) -> bool:
    """Return whether what a tier calls is on the way of those whose objective this is."""
    system = trial.system
    if violation.scope == "tier":
        return caller in system.below(violation.name)
    entry = system.topology.workload.classes[violation.name].entry
    return caller in system.waited_for(entry, violation.name)


def _missed(trial: Trial, conflict: Conflict, topology: Topology) -> Violation | None:
    """Return the objective as it is missed in the same event of a changed file, when nothing waits."""
    found = violations(_during(trial, conflict, topology))
    return next((v for v in found if v.key == conflict.violation.key), None)


def _during(trial: Trial, conflict: Conflict, topology: Topology) -> Solution:
    """Return the same event of a changed file, solved with nothing waiting anywhere."""
    event, system = conflict.event, resolve(topology)
    same = next(e for e in SCENARIOS[event.scenario](system) if e.subject == event.subject)
    state = same.state(trial.counts)
    return solve(state.system, state.counts, frozenset(state.system.tiers), conditions=state.conditions)


def _free(solution: Solution) -> Solution:
    everywhere = frozenset(solution.system.tiers)
    return solve(solution.system, solution.counts, everywhere, conditions=solution.conditions)


def _objective(topology: Topology, violation: Violation, seconds: float) -> tuple[Topology, str]:
    """Return the file with another objective of a class and where it stands; the same file for those of tiers."""
    if violation.scope == "tier":
        return topology, ""
    goals = dict(topology.slo.latency)
    goals[violation.name] = msgspec.structs.replace(goals[violation.name], **{violation.constraint: seconds})
    slo = msgspec.structs.replace(topology.slo, latency=goals)
    return msgspec.structs.replace(topology, slo=slo), show_path(
        ("slo", "latency", violation.name, violation.constraint)
    )
